"""Sign-in by an organisation's own accounts: OpenID Connect, authorisation code with PKCE.

Needs the extra ``oidc`` (authlib, httpx). What must be remembered between the two steps lies in a
cookie of ten minutes that belongs to this host alone; nothing is stored on the server.

References
----------
OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9700 (best current practice).
"""

import json
import secrets
import threading
import warnings
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from api.settings import Settings, is_local
from data.model.errors import AccessError, InputError

SCOPE = "openid email profile"
TIMEOUT_S = 10.0
SUBJECT_MAX = 300
ALGORITHMS = ("RS256", "ES256", "PS256")
LEEWAY_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What a browser keeps between leaving for the provider and coming back."""

    state: str
    nonce: str
    verifier: str
    after: str

    def packed(self) -> str:
        """As the value of a cookie."""
        return urlencode(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom the provider vouches for."""

    subject: str
    """Provider and its lasting id of the person."""
    login: str
    """The claim that names the account on the first sign-in; empty where there is none."""
    is_vouched: bool
    """Whether the provider has verified that claim."""


class OidcClient:
    """The organisation's provider; its description is fetched once it is needed."""

    def __init__(self, settings: Settings) -> None:
        self._make_client = _client_class()
        assert settings.oidc_issuer is not None
        assert settings.oidc_client_id is not None
        self._issuer = settings.oidc_issuer
        self._client_id = settings.oidc_client_id
        self._name = settings.oidc_name
        self._claim = settings.oidc_login_claim
        self._redirect = f"{settings.public_url}/sign-in/oidc/back"
        self._secret: str | None = None
        if settings.oidc_secret_file is not None:
            try:
                self._secret = settings.oidc_secret_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise InputError(
                    "settings.oidc_secret", file=str(settings.oidc_secret_file),
                    reason=error.strerror or str(error),
                ) from None  # fmt: skip
        self._lock = threading.Lock()
        self._known: dict[str, Any] | None = None

    def begin(self, after: str) -> tuple[str, Pending]:
        """Where to send the browser, and what it must bring back."""
        pending = Pending(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            after=after,
        )
        with self._client() as client:
            address, _ = client.create_authorization_url(
                self._description()["authorization_endpoint"],
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
            )
        return str(address), pending

    def finish(self, pending: Pending, query: dict[str, str]) -> Identity:
        """Whom the provider vouches for, by what the browser brought back.

        Raises
        ------
        AccessError
            ``access.oidc_failed``.
        """
        if not secrets.compare_digest(pending.state, query.get("state", "")):
            raise self._failed("state")
        if "error" in query or "code" not in query:
            raise self._failed(query.get("error", "code")[:80])
        from authlib.common.errors import AuthlibBaseError
        from httpx import HTTPError

        try:
            with self._client() as client:
                answer = client.fetch_token(
                    self._description()["token_endpoint"],
                    grant_type="authorization_code",
                    code=query["code"],
                    code_verifier=pending.verifier,
                )
        except (AuthlibBaseError, HTTPError, ValueError) as error:
            raise self._failed(type(error).__name__) from error
        return self._identity(self._claims(str(answer.get("id_token", "")), pending.nonce))

    def _identity(self, claims: dict[str, Any]) -> Identity:
        subject = f"{self._issuer} {claims['sub']}"
        if len(subject) > SUBJECT_MAX:
            raise self._failed("sub")
        login = claims.get(self._claim)
        return Identity(
            subject=subject,
            login=login if isinstance(login, str) else "",
            is_vouched=self._claim != "email" or claims.get("email_verified") is True,
        )

    def _claims(self, id_token: str, nonce: str) -> dict[str, Any]:
        """The claims of a token that the provider has signed for us, now, for this request."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        checks = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            keys = KeySet.import_key_set(self._fetch(self._description()["jwks_uri"]))  # type: ignore[arg-type]
            token = jwt.decode(id_token, keys, algorithms=list(ALGORITHMS))
            checks.validate(token.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise self._failed(type(error).__name__) from error
        return dict(token.claims)

    def _client(self) -> Any:
        return self._make_client(
            client_id=self._client_id,
            client_secret=self._secret,
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
            code_challenge_method="S256",
            scope=SCOPE,
            redirect_uri=self._redirect,
            timeout=TIMEOUT_S,
        )

    def _description(self) -> dict[str, Any]:
        """The provider's addresses, checked to be its own words about itself."""
        with self._lock:
            if self._known is not None:
                return self._known
            address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            told = self._fetch(address)
            if told.get("issuer") != self._issuer:
                raise self._failed("issuer")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not _is_safe(told.get(name)):
                    raise self._failed(name)
            self._known = told
            return told

    def _fetch(self, address: str) -> dict[str, Any]:
        import httpx

        try:
            answer = httpx.get(address, timeout=TIMEOUT_S)
            answer.raise_for_status()
            told = answer.json()
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            raise self._failed(type(error).__name__) from error
        if not isinstance(told, dict):
            raise self._failed("JSON")
        return told

    def _failed(self, reason: str) -> AccessError:
        return AccessError("access.oidc_failed", name=self._name, reason=reason)


def _client_class() -> Any:
    """Authlib's client on httpx.

    Authlib says on import that it prefers httpx2, the renamed httpx; both speak alike.
    """
    try:
        import httpx  # noqa: F401
        from authlib.deprecate import AuthlibDeprecationWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AuthlibDeprecationWarning)
            from authlib.integrations.httpx_client import OAuth2Client
    except ImportError:
        raise InputError("settings.oidc_missing") from None
    return OAuth2Client


def _is_safe(address: object) -> bool:
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.hostname or ""))
