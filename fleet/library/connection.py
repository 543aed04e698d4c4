"""One TCP connection: bytes out, bytes in until a deadline, and what breaks told in two kinds."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.library.trouble import LibraryTroubleError

_PIECE = 8192


@dataclass(slots=True)
class Line:
    """A connection that is opened when it is needed.

    Parameters
    ----------
    timeout_s
        For connecting, and for each answer as a whole.
    is_encrypted
        TLS with a checked certificate, where the system speaks it or a tunnel stands before it.
    """

    host: str
    port: int
    timeout_s: float
    is_encrypted: bool = False
    _socket: socket.socket | None = field(default=None, repr=False)
    _kept: bytes = field(default=b"", repr=False)

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def open(self) -> None:
        """Connect.

        Raises
        ------
        LibraryTroubleError
            ``library.unreachable``; nothing was asked of the system.
        """
        if self._socket is not None:
            return
        try:
            plain = socket.create_connection((self.host, self.port), timeout=self.timeout_s)
            self._socket = self._wrapped(plain)
        except (OSError, ValueError) as wrong:
            raise LibraryTroubleError(
                "library.unreachable", host=self.host, port=self.port, reason=type(wrong).__name__
            ) from wrong

    def _wrapped(self, plain: socket.socket) -> socket.socket:
        if not self.is_encrypted:
            return plain
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
        except (OSError, ValueError):
            plain.close()
            raise

    def close(self) -> None:
        """Let the connection go; what was not read is forgotten."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._kept = None, b""

    def send(self, raw: bytes) -> None:
        """Send all of it.

        Raises
        ------
        LibraryTroubleError
            ``library.dropped``; a message that was not sent to its end is not acted upon.
        """
        assert self._socket is not None
        try:
            self._socket.settimeout(self.timeout_s)
            self._socket.sendall(raw)
        except OSError as wrong:
            self.close()
            raise self._dropped(is_doubtful=False) from wrong

    def is_still_open(self) -> bool:
        """Whether the other side has not closed; what came after its time is thrown away.

        Late answers are to questions given up.
        """
        assert self._socket is not None
        self._kept = b""
        self._socket.setblocking(False)
        try:
            while self._socket.recv(_PIECE):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            pass
        self.close()
        return False

    def read(self, ends: Callable[[bytes], int], most: int) -> bytes:
        """Bytes up to an end.

        Parameters
        ----------
        ends
            How many of the bytes make a whole message; 0 while it is not whole.

        Raises
        ------
        LibraryTroubleError
            ``library.slow``, ``library.dropped`` or ``library.endless``; doubtful all.
        """
        deadline = time.monotonic() + self.timeout_s
        while not (size := ends(self._kept)):
            if len(self._kept) > most:
                self.close()
                raise LibraryTroubleError("library.endless", is_doubtful=True, limit=most)
            piece = self._piece(deadline)
            if not piece:
                self.close()
                raise self._dropped(is_doubtful=True)
            self._kept += piece
        whole, self._kept = self._kept[:size], self._kept[size:]
        return whole

    def read_all(self, most: int) -> bytes:
        """Bytes until the other side closes, as some protocols end their answers; then closed."""
        deadline = time.monotonic() + self.timeout_s
        while piece := self._piece(deadline):
            self._kept += piece
            if len(self._kept) > most:
                self.close()
                raise LibraryTroubleError("library.endless", is_doubtful=True, limit=most)
        whole = self._kept
        self.close()
        return whole

    def _piece(self, deadline: float) -> bytes:
        assert self._socket is not None
        left_s = deadline - time.monotonic()
        try:
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            return self._socket.recv(_PIECE)
        except TimeoutError as wrong:
            raise LibraryTroubleError(
                "library.slow", is_doubtful=True, seconds=self.timeout_s
            ) from wrong
        except OSError as wrong:
            self.close()
            raise self._dropped(is_doubtful=True) from wrong

    def _dropped(self, *, is_doubtful: bool) -> LibraryTroubleError:
        return LibraryTroubleError(
            "library.dropped", is_doubtful=is_doubtful, host=self.host, port=self.port
        )
