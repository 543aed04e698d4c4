"""What every answer carries and what every request must satisfy before a route sees it."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer_outside
from api.settings import Settings
from data.model.errors import AccessError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
YEAR_S = 31_536_000


def content_security_policy(
    *,
    frame_ancestors: str = "'none'",
    images: tuple[str, ...] = (),
    connect: tuple[str, ...] = (),
    nonce: str | None = None,
) -> str:
    """What a page may load: our own files, no inline script or style.

    Parameters
    ----------
    frame_ancestors
        Who may show the page in a frame; ``*`` for pages made to be embedded.
    images
        Origins of map tiles that a page asks for by itself.
    connect
        Origins that a page's script may ask besides our own.
    nonce
        Lets through the inline script and style of a generated page that carry it.
    """
    own = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    rules = {
        "default-src": "'self'",
        "script-src": f"{own} 'wasm-unsafe-eval'",
        "style-src": own,
        "img-src": " ".join(("'self'", "data:", "blob:", *images)),
        "connect-src": " ".join(("'self'", *connect)),
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": frame_ancestors,
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


class SecurityHeaders:
    """Headers that keep browsers from doing what pages never ask for.

    A header that a route has set itself stays.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": content_security_policy(),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "permissions-policy": "camera=(self), geolocation=(self), microphone=(), payment=()",
            "cross-origin-opener-policy": "same-origin",
        }
        if settings.is_secure:
            self._headers["strict-transport-security"] = f"max-age={YEAR_S}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                # Personal pages must not lie in a shared cache; static files say otherwise.
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def is_foreign(headers: Headers, hosts: frozenset[str]) -> bool:
    """Whether a browser sent a request on behalf of another site.

    ``Sec-Fetch-Site`` tells; browsers without it send ``Origin`` with every unsafe request. A
    request with neither comes from no browser, and one with a bearer token carries what no other
    site can make a browser send (a name and password of its own in an address it can).
    """
    if headers.get("authorization", "").lower().startswith("bearer "):
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc not in hosts


class SameSite:
    """Refuses unsafe requests that another site made a browser send (CSRF)."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._public_host = urlsplit(settings.public_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            headers = Headers(scope=scope)
            if is_foreign(headers, frozenset({self._public_host, headers.get("host", "")})):
                refusal = AccessError("access.other_site")
                response = answer_outside(Request(scope, receive), refusal)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


class HeadAsGet:
    """Answers HEAD as GET; the server leaves the body out. Streams never end and are not asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD" and not _is_stream(scope["path"]):
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


def _is_stream(path: str) -> bool:
    return path.endswith("/events")
