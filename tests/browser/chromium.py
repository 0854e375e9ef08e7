"""A browser without a window, spoken to by the DevTools protocol over a connection of its own."""

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any, Self

from websockets.sync.client import connect

from local.programs import Program, kill_tree, spawn
from tests.integration.waiting import eventually

NAMES = ("chromium", "chromium-browser", "google-chrome")
FOUND = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0")


class Browser:
    """One tab; a context manager that ends the browser."""

    def __init__(self, folder: Path, home: str) -> None:
        self._folder, self._home, self._sent = folder, home, 0
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        command = [str(FOUND), *FLAGS, f"--user-data-dir={self._folder}", "about:blank"]
        program = Program(name="chromium", command=command, environment={})
        with (self._folder / "browser.log").open("wb") as output:
            self._process = spawn(program, output=output)
        try:
            self._connecting = connect(self._address(), max_size=None, open_timeout=30)
            self._connection = self._connecting.__enter__()
        except BaseException:
            kill_tree(self._process)
            raise
        for domain in ("Runtime", "Log", "Page", "Network"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        kill_tree(self._process)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers; what it complains of meanwhile is kept."""
        self._sent += 1
        self._connection.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))
        while True:
            said: dict[str, Any] = json.loads(self._connection.recv(timeout=60))
            self._hear(said)
            if said.get("id") == self._sent:
                return said.get("result", {})

    def run(self, script: str) -> Any:
        """The value of an expression, awaited."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def go(self, path: str) -> None:
        """Open a page of the service, to the end of its loading."""
        self.run("window.left = true")
        self.ask("Page.navigate", url=self._home + path)
        self.until("!window.left && document.readyState === 'complete'")

    def until(self, condition: str, *, seconds: float = 10) -> None:
        """Wait until an expression is true in the page."""
        eventually(lambda: self._tried(f"!!({condition})"), seconds=seconds, what=condition, told=self._page)

    def press(self, key: str) -> None:
        """A key, as if typed."""
        text = "\r" if key == "Enter" else ""
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed)

    def _tried(self, expression: str) -> Any:
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return None if "exceptionDetails" in answer else answer.get("result", {}).get("value")

    def _page(self) -> Any:
        return self._tried("document.body.innerText")

    def _hear(self, said: dict[str, Any]) -> None:
        if said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(said["params"]["exceptionDetails"])[:500])
        if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
            self.complaints.append(json.dumps(said["params"]["entry"])[:500])

    def _address(self) -> str:
        port_file = self._folder / "DevToolsActivePort"
        eventually(port_file.exists, seconds=15, what="the browser's start")
        port = eventually(lambda: port_file.read_text().splitlines()[:1], seconds=5, what="its port")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
            tabs = json.load(answer)
        return str(next(tab for tab in tabs if tab["type"] == "page")["webSocketDebuggerUrl"])
