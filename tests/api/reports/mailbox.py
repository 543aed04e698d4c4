"""A mail server of the outside world: takes letters over a real socket, or turns them away."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class Mailbox:
    """Letters that came, and whether the next are taken."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.is_full = False
        self.port = 0

    def take(self, raw: bytes) -> None:
        letter = message_from_bytes(raw, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A server of SMTP (RFC 5321) as far as one letter needs it."""
    box = Mailbox()

    class Talk(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            self.say("220 mail.test")
            while line := self.rfile.readline():
                word = line.decode().strip().split(" ")[0].split(":")[0].upper()
                if word == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (one := self.rfile.readline()) != b".\r\n":
                        lines.append(one.removeprefix(b".") if one[:2] == b".." else one)
                    box.take(b"".join(lines))
                    self.say("250 taken")
                elif word == "RCPT" and box.is_full:
                    self.say("452 mailbox full")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
