"""A mail server on loopback that keeps letters, and answers as it is told."""

import socketserver
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from types import TracebackType
from typing import Any, Self

from config import mail
from config.mail import Mail


@dataclass
class MailServer:
    """Serves while its block lasts. `answers` has the answer to RCPT TO for an address, to DATA for all."""

    answers: dict[str, str] = field(default_factory=dict)
    letters: list[Message] = field(default_factory=list)
    breaks_off: bool = False  # in the middle of handing a letter over

    def __enter__(self) -> Self:
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 here")
                while line := self.rfile.readline().decode().strip():
                    if not self.answer(line):
                        return

            def answer(self, line: str) -> bool:
                verb = line[:4].upper()
                if verb in ("RCPT", "MAIL"):
                    key = line.partition("<")[2].partition(">")[0] if verb == "RCPT" else "MAIL"
                    self.say(server.answers.get(key, "250 ok"))
                elif verb == "DATA":
                    return self.take()
                elif verb == "QUIT":
                    self.say("221 bye")
                    return False
                else:
                    self.say("250 ok")
                return True

            def take(self) -> bool:
                if "DATA" in server.answers:
                    self.say(server.answers["DATA"])
                    return True
                self.say("354 go on")
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line)
                server.letters.append(message_from_bytes(b"".join(lines), policy=default))
                if server.breaks_off:
                    return False
                self.say("250 taken")
                return True

            def say(self, words: str) -> None:
                self.wfile.write(f"{words}\r\n".encode())

        socketserver.ThreadingTCPServer.daemon_threads = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Nobody answers any more; once is enough."""
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def settings(self, *recipients: str, **given: Any) -> Mail:
        """What leads to this server."""
        port = str(self._server.server_address[1])
        values = {
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": port,
            "EMAIL_SECURITY": "none",
            "EMAIL_FROM": "cron@example.com",
        }
        return mail.read({**values, "REPORT_RECIPIENTS": ", ".join(recipients), **given})

    @property
    def readers(self) -> list[str]:
        """Who got a letter."""
        return [str(letter["To"]) for letter in self.letters]
