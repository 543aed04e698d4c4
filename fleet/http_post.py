"""Posting to one address over a connection that is kept: all of HTTP that is needed on board."""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

_MOST_ANSWER = 1 << 20
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = _NO_HEADERS
    """Names in lower case."""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


class NoConnectionError(Exception):
    """The server was not reached, or the connection broke before its answer."""


@dataclass(slots=True)
class Poster:
    """Posts bodies to one address.

    Parameters
    ----------
    url
        ``http://`` or ``https://`` with a path; certificates are checked.
    """

    url: str
    headers: Mapping[str, str] = _NO_HEADERS
    timeout_s: float = 20.0
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"no address of a server: {self.url!r}")

    def post(
        self, body: bytes, *, headers: Mapping[str, str] = _NO_HEADERS, query: str = ""
    ) -> Answer:
        """Send a body and wait for the answer.

        Raises
        ------
        NoConnectionError
            Where no answer came; whether the server has the body is then not known.
        """
        try:
            return self._posted(body, headers, query)
        except (OSError, http.client.HTTPException) as wrong:
            self.close()
            raise NoConnectionError(type(wrong).__name__) from wrong

    def close(self) -> None:
        """Let the connection go; the next body opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _posted(self, body: bytes, headers: Mapping[str, str], query: str) -> Answer:
        connection = self._opened()
        parts = urlsplit(self.url)
        told = "&".join(q for q in (parts.query, query) if q)
        target = (parts.path or "/") + (f"?{told}" if told else "")
        connection.request("POST", target, body=body, headers={**self.headers, **headers})
        response = connection.getresponse()
        answer = Answer(
            status=response.status,
            body=response.read(_MOST_ANSWER),
            headers={name.lower(): value for name, value in response.getheaders()},
        )
        if response.will_close or not response.isclosed():
            self.close()
        return answer

    def _opened(self) -> http.client.HTTPConnection:
        if self._connection is None:
            parts = urlsplit(self.url)
            host = parts.hostname or ""
            if parts.scheme == "https":
                self._connection = http.client.HTTPSConnection(
                    host,
                    parts.port,
                    timeout=self.timeout_s,
                    context=ssl.create_default_context(),
                )
            else:
                self._connection = http.client.HTTPConnection(
                    host, parts.port, timeout=self.timeout_s
                )
        return self._connection
