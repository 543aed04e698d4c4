"""A small OpenID Connect provider: the organisation's accounts, on a server of its own.

It checks what a provider checks: the registered address, the client's secret, PKCE, that a code
is used once. What it says of a person and how it signs can be changed, to lie as a broken or
hostile provider would.
"""

import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID = "bookmobile"
SECRET = "the provider gave this"


@dataclass
class Provider:
    """The provider: ``claims`` are told of whoever comes, over the honest ones."""

    issuer: str
    redirect: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    told_issuer: str | None = None
    refusal: str | None = None
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048))
    signing: RSAKey | None = None
    """Another key than the published one."""
    seen: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.describe),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )

    def describe(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.told_issuer or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        )

    def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.seen.append(asked)
        assert asked["client_id"] == CLIENT_ID
        assert asked["redirect_uri"] == self.redirect
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        back = {"state": asked["state"]}
        if self.refusal:
            back["error"] = self.refusal
        else:
            back["code"] = secrets.token_urlsafe()
            self._codes[back["code"]] = asked
        return RedirectResponse(f"{self.redirect}?{urlencode(back)}", status_code=303)

    async def token(self, request: Request) -> Response:
        sent = {name: v[0] for name, v in parse_qs((await request.body()).decode()).items()}
        given = base64.b64encode(f"{CLIENT_ID}:{SECRET.replace(' ', '+')}".encode()).decode()
        plain = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") not in (f"Basic {given}", f"Basic {plain}"):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        asked = self._codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "7", "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "email": "olga@library.example", "email_verified": True,
        } | self.claims  # fmt: skip
        signed = jwt.encode({"alg": "RS256"}, claims, self.signing or self.key)
        return JSONResponse(
            {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": signed}
        )

    def keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})


@contextmanager
def run_provider() -> Iterator[Provider]:
    """The provider on a free port; ends with the block."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        provider = Provider(issuer=f"http://localhost:{bound.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(provider.app(), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            yield provider
        finally:
            server.should_exit = True
            thread.join()
