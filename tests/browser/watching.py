"""What a browser complains of while a test looks at pages."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

LOCAL = {"about", "blob", "data"}


class Watcher:
    """Listens to every page of a context: errors in the console or in scripts, and requests to any other host."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self._home = urlsplit(home).netloc
        self.complaints: list[str] = []
        context.on("request", self._request)
        context.on("page", self._page)

    def forget(self, *parts: str) -> None:
        """Take out the complaints that a test means to cause: those that hold any of the given words."""
        self.complaints = [each for each in self.complaints if not any(part in each for part in parts)]

    def _page(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("websocket", lambda socket: self._address(socket.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.complaints.append(f"{message.type} in the console: {message.text} {message.location}")

    def _request(self, request: Request) -> None:
        self._address(request.url)

    def _address(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in LOCAL and address.netloc != self._home:
            self.complaints.append(f"it leaves the host: {url}")
