"""Settings: the only reader of the environment."""

import ipaddress
import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api.setting_variables import VARIABLES, Environment, Variable
from data.model.errors import InputError

SQLITE = "sqlite:///"


def _cache_dir(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "bookmobile"


def _data_dir(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_DATA_HOME") or environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".local" / "share") / "bookmobile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the surroundings decide; ``api.setting_variables`` tells what each is for."""

    language: str = "en"
    cache_dir: Path = Path("cache")
    data_dir: Path = Path("data")
    database_url: str = field(default="", repr=False)
    environment: Environment = Environment.PRODUCTION
    clock_offset_s: int = 0
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    allow_plain_http: bool = False
    relay_origins: str = ""
    trusted_proxies: str = "127.0.0.1"
    request_max_mb: int = 2
    upload_max_mb: int = 512
    sign_in_hours: int = 12
    sign_in_days: int = 30
    sign_in_keep_days: int = 180
    event_keep_days: int = 3
    track_guard: bool = True
    track_near_km: int = 10
    track_margin_min: int = 120
    track_keep_days: int = 90
    reader_keep_days: int = 1095
    wialon_port: int | None = None
    mqtt_url: str | None = None
    mqtt_password_file: Path | None = None
    smtp_url: str | None = None
    smtp_password_file: Path | None = None
    mail_from: str = "bookmobile@localhost"
    notice_hook_url: str | None = None
    notice_hook_secret_file: Path | None = None
    metrics_from: str = "127.0.0.0/8, ::1"
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_secret_file: Path | None = None
    oidc_name: str = "OpenID Connect"
    oidc_login_claim: str = "email"

    def __post_init__(self) -> None:
        if not self.database_url:
            file = (self.data_dir / "bookmobile.sqlite").as_posix()
            object.__setattr__(self, "database_url", SQLITE + file)
        if not self.public_url:
            object.__setattr__(self, "public_url", f"{self._scheme}://localhost:{self.port}")

    @property
    def _scheme(self) -> str:
        return "https" if self.tls_certificate else "http"

    @property
    def is_secure(self) -> bool:
        """Whether people reach the service by https: cookies are then Secure."""
        return self.public_url.startswith("https:")

    @property
    def is_demo(self) -> bool:
        return self.environment is Environment.DEMO

    @property
    def has_address(self) -> bool:
        """Whether an address on paper leads somewhere: on a machine of its own only a demo's."""
        return self.is_demo or not is_local(urlsplit(self.public_url).hostname or "")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read every ``BOOKMOBILE_*`` variable; what is not set is the platform's or the default.

        Raises
        ------
        InputError
            ``settings.bad_value`` for a value that cannot be read.
        """
        surroundings = os.environ if environ is None else environ
        values: dict[str, Any] = {
            "language": locale.getlocale()[0] or "en",
            "cache_dir": _cache_dir(surroundings),
            "data_dir": _data_dir(surroundings),
        }
        for variable in VARIABLES:
            text = surroundings.get(variable.name)
            if text:
                values[variable.field] = _read(variable, text)
        return cls(**values)

    def check(self) -> None:
        """Refuse to serve people on choices that are not safe.

        Raises
        ------
        InputError
            ``settings.plain_http`` for production over http to other machines,
            ``settings.half_tls`` or ``settings.half_oidc`` where one of two settings is missing,
            ``settings.demo_public`` for the demo's known passwords on a network,
            ``settings.clock_outside_demo`` for a clock that is put forward or back.
        """
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise InputError("settings.half_tls")
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise InputError("settings.half_oidc")
        here_alone = is_local(self.host) and is_local(urlsplit(self.public_url).hostname or "")
        if self.environment is Environment.DEMO and not here_alone:
            raise InputError("settings.demo_public", host=self.host, public_url=self.public_url)
        if self.environment is not Environment.DEMO and self.clock_offset_s:
            raise InputError("settings.clock_outside_demo", value=self.clock_offset_s)
        plain = not (self.is_secure or here_alone or self.allow_plain_http)
        if self.environment is Environment.PRODUCTION and plain:
            raise InputError("settings.plain_http", host=self.host, public_url=self.public_url)
        issuer = urlsplit(self.oidc_issuer or "https://x")
        if issuer.scheme != "https" and not is_local(issuer.hostname or ""):
            raise InputError("settings.oidc_http", value=self.oidc_issuer)


SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""By this prometheus-client learns where several processes add up their figures."""


def shares_metrics() -> bool:
    """Whether this process is one of several whose figures are added up."""
    return SHARED_METRICS in os.environ


def is_local(host: str) -> bool:
    """Whether an address is this machine's own, reached by no other."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(variable: Variable, text: str) -> object:
    try:
        return variable.read(text)
    except (ValueError, KeyError):
        raise InputError(
            "settings.bad_value", name=variable.name, value=text, allowed=variable.allowed
        ) from None
