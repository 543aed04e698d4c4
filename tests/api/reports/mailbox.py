"""A mail server of the outside world: takes letters over a real socket, or turns them away."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class Mailbox:
    """Letters that came, and whether the next are taken."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.raws: list[bytes] = []
        """The same as they came over the wire."""
        self.is_full = False
        self.unknown: set[str] = set()
        """Recipients that there are not: refused for good, with their address in the answer."""
        self.wait_s = 0.0
        """How long it thinks about each letter."""
        self.num_talks = 0
        self.port = 0

    def take(self, raw: bytes) -> None:
        letter = message_from_bytes(raw, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.raws.append(raw)


@contextmanager
def mail_server(port: int = 0) -> Iterator[Mailbox]:
    """A server of SMTP (RFC 5321) as far as letters of one recipient need it."""
    box = Mailbox()

    class Talk(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            box.num_talks += 1
            try:
                self.talk()
            except ConnectionError:
                # Whoever lost patience has hung up.
                return

        def talk(self) -> None:
            self.say("220 mail.test")
            while line := self.rfile.readline():
                told = line.decode().strip()
                word = told.split(" ")[0].split(":")[0].upper()
                recipient = told.partition("<")[2].partition(">")[0]
                if word == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (one := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(one.removeprefix(b".") if one[:2] == b".." else one)
                    time.sleep(box.wait_s)
                    if not one:
                        return
                    self.say("250 taken")
                    box.take(b"".join(lines))
                elif word == "RCPT" and recipient in box.unknown:
                    self.say(f"550 5.1.1 <{recipient}>: no such user {recipient}")
                elif word == "RCPT" and box.is_full:
                    self.say("452 mailbox full")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", port), Talk) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
