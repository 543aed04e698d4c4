"""The variables of the environment that make the settings: how each is read, its help.

``docs/settings.md`` is the same table for people; a test compares them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit


class Environment(StrEnum):
    """Where the service runs: decides what it refuses at the start."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"
    DEMO = "demo"


def _read_flag(text: str) -> bool:
    return {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}[
        text.strip().lower()
    ]


def _read_positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _read_port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError(text)
    return number


def _read_http_url(text: str) -> str:
    parts = urlsplit(text.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        raise ValueError(text)
    return text.rstrip("/")


def _read_origins(text: str) -> str:
    for origin in text.split():
        parts = urlsplit(origin)
        is_plain = all(c.isalnum() or c in "-.:[]" for c in parts.netloc)
        is_origin = origin == f"{parts.scheme}://{parts.netloc}" and parts.netloc
        if parts.scheme not in ("http", "https") or not is_origin or not is_plain:
            raise ValueError(text)
    return " ".join(text.split())


def _read_database(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError(text)
    return text


def _read_issuer(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(text)
    return text


def _read_broker(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.password:
        raise ValueError(text)
    return text


def _read_smtp(text: str) -> str:
    parts = urlsplit(text)
    known = parts.scheme in ("smtp", "smtps", "smtp+starttls")
    if not known or not parts.hostname or parts.password or parts.path not in ("", "/"):
        raise ValueError(text)
    if parts.port == 0:
        raise ValueError(text)
    return text


def _read_sender(text: str) -> str:
    name, at, host = text.rpartition("@")
    if not (name and at and host) or any(c.isspace() or c in "<>,;" for c in text):
        raise ValueError(text)
    return text


def _read_hook(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.password:
        raise ValueError(text)
    return text


def _read_claim(text: str) -> str:
    if text not in ("email", "preferred_username"):
        raise ValueError(text)
    return text


def _read_networks(text: str) -> str:
    for part in filter(None, (p.strip() for p in text.split(","))):
        ip_network(part, strict=False)
    return text


def _read_path(text: str) -> Path:
    return Path(text).expanduser()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """How a setting is read: its variable, what reads the text, what it allows, its help."""

    field: str
    """Field of the settings."""
    name: str
    told: str
    read: Callable[[str], object] = str
    allowed: str = "text"
    otherwise: str | None = None
    """The default in words; ``None``: as the settings have it."""


NUMBER = "a whole number from 1"
FILE = "path of a file"

VARIABLES = (
    Variable(
        field="language",
        name="BOOKMOBILE_LANG",
        told="Language of the terminal, and of pages where neither the reader nor the region says.",
        allowed="ru or en",
        otherwise="the system's",
    ),
    Variable(
        field="cache_dir",
        name="BOOKMOBILE_CACHE",
        told="Folder for built road networks and matrices; may be deleted at any time.",
        read=_read_path,
        allowed="path of a folder",
        otherwise="bookmobile in the user's cache folder",
    ),
    Variable(
        field="data_dir",
        name="BOOKMOBILE_DATA",
        told="Folder of the database file, base maps and uploads: the one to back up.",
        read=_read_path,
        allowed="path of a folder",
        otherwise="bookmobile in the user's data folder",
    ),
    Variable(
        field="database_url",
        name="BOOKMOBILE_DATABASE",
        told="The database. A password is better kept in a .pgpass file than in the address.",
        read=_read_database,
        allowed="sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
        otherwise="bookmobile.sqlite in the data folder",
    ),
    Variable(
        field="environment",
        name="BOOKMOBILE_ENVIRONMENT",
        told="production refuses to start on what is unsafe; demo and development allow it here.",
        read=Environment,
        allowed="production, development or demo",
    ),
    Variable(
        field="clock_offset_s",
        name="BOOKMOBILE_CLOCK_OFFSET_S",
        told="Seconds by which the clock of a demo is put forward or back; refused elsewhere.",
        read=int,
        allowed="a whole number",
    ),
    Variable(
        field="host",
        name="BOOKMOBILE_HOST",
        told="Address to listen on; 0.0.0.0 is every network of this machine.",
        allowed="an address of this machine",
    ),
    Variable(
        field="port",
        name="BOOKMOBILE_PORT",
        told="Port to listen on.",
        read=_read_port,
        allowed="0 to 65535",
    ),
    Variable(
        field="public_url",
        name="BOOKMOBILE_PUBLIC_URL",
        told="Address by which people reach the service; links, feeds and QR codes begin with it.",
        read=_read_http_url,
        allowed="http(s)://HOST[:PORT], no path",
        otherwise="http://localhost:PORT",
    ),
    Variable(
        field="tls_certificate",
        name="BOOKMOBILE_TLS_CERTIFICATE",
        told="Certificate (PEM) to serve https without a proxy; needs TLS_KEY.",
        read=_read_path,
        allowed=FILE,
        otherwise="none",
    ),
    Variable(
        field="tls_key",
        name="BOOKMOBILE_TLS_KEY",
        told="Private key (PEM) of the certificate.",
        read=_read_path,
        allowed=FILE,
        otherwise="none",
    ),
    Variable(
        field="allow_plain_http",
        name="BOOKMOBILE_ALLOW_PLAIN_HTTP",
        told="Let production answer other machines over plain http: passwords can then be read on "
        "the way, and tablets get no offline mode.",
        read=_read_flag,
        allowed="yes or no",
        otherwise="no",
    ),
    Variable(
        field="relay_origins",
        name="BOOKMOBILE_RELAY_ORIGINS",
        told="Vehicles' own computers that tablets may send to (bookmobile relay).",
        read=_read_origins,
        allowed="https://HOST[:PORT], space between",
        otherwise="none",
    ),
    Variable(
        field="trusted_proxies",
        name="BOOKMOBILE_TRUSTED_PROXIES",
        told="Addresses of proxies whose word on the caller's address and on https is taken.",
        allowed="addresses, comma between",
    ),
    Variable(
        field="request_max_mb",
        name="BOOKMOBILE_REQUEST_MAX_MB",
        told="Largest request in MB; uploads have UPLOAD_MAX_MB.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="upload_max_mb",
        name="BOOKMOBILE_UPLOAD_MAX_MB",
        told="Largest uploaded file in MB.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="sign_in_hours",
        name="BOOKMOBILE_SIGN_IN_HOURS",
        told="Hours without use after which a sign-in ends.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="sign_in_days",
        name="BOOKMOBILE_SIGN_IN_DAYS",
        told="Days after which a sign-in ends however much it is used.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="sign_in_keep_days",
        name="BOOKMOBILE_SIGN_IN_KEEP_DAYS",
        told="Days for which sign-ins that failed stay in the audit log.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="event_keep_days",
        name="BOOKMOBILE_EVENT_KEEP_DAYS",
        told="Days for which live events and answers to repeated requests are kept.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="track_guard",
        name="BOOKMOBILE_TRACK_GUARD",
        told="Keep positions of vehicles only in duty time and near their route.",
        read=_read_flag,
        allowed="yes or no",
        otherwise="yes",
    ),
    Variable(
        field="track_near_km",
        name="BOOKMOBILE_TRACK_NEAR_KM",
        told="How far from its route a vehicle's position is still kept, in km.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="track_margin_min",
        name="BOOKMOBILE_TRACK_MARGIN_MIN",
        told="Minutes before the planned departure and after the planned return in which positions "
        "are kept.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="track_keep_days",
        name="BOOKMOBILE_TRACK_KEEP_DAYS",
        told="Days for which tracks are kept; what became of each stop visit stays.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="reader_keep_days",
        name="BOOKMOBILE_READER_KEEP_DAYS",
        told="Days after the last loan or registration for which a reader's data are kept.",
        read=_read_positive,
        allowed=NUMBER,
    ),
    Variable(
        field="wialon_port",
        name="BOOKMOBILE_WIALON_PORT",
        told="Port for trackers that speak Wialon IPS over TCP; none: they are not listened to.",
        read=_read_port,
        allowed="0 to 65535",
        otherwise="none",
    ),
    Variable(
        field="mqtt_url",
        name="BOOKMOBILE_MQTT_URL",
        told="Broker whose OwnTracks messages are taken; needs the optional part mqtt.",
        read=_read_broker,
        allowed="mqtt(s)://USER@HOST[:PORT][/TOPIC]",
        otherwise="none",
    ),
    Variable(
        field="mqtt_password_file",
        name="BOOKMOBILE_MQTT_PASSWORD_FILE",
        told="File with the password at the broker.",
        read=_read_path,
        allowed=FILE,
        otherwise="none",
    ),
    Variable(
        field="smtp_url",
        name="BOOKMOBILE_SMTP_URL",
        told="Server that sends e-mail; without it, letters are kept as .eml files in the folder "
        "outbox of the data.",
        read=_read_smtp,
        allowed="smtp(s)://[USER@]HOST[:PORT] or smtp+starttls://…",
        otherwise="none",
    ),
    Variable(
        field="smtp_password_file",
        name="BOOKMOBILE_SMTP_PASSWORD_FILE",
        told="File with the password at that server.",
        read=_read_path,
        allowed=FILE,
        otherwise="none",
    ),
    Variable(
        field="mail_from",
        name="BOOKMOBILE_MAIL_FROM",
        told="Address that letters come from.",
        read=_read_sender,
        allowed="an e-mail address",
    ),
    Variable(
        field="notice_hook_url",
        name="BOOKMOBILE_NOTICE_HOOK_URL",
        told="Program that is told each notice to residents, such as a gateway of text messages.",
        read=_read_hook,
        allowed="http(s)://HOST[:PORT]/PATH",
        otherwise="none",
    ),
    Variable(
        field="notice_hook_secret_file",
        name="BOOKMOBILE_NOTICE_HOOK_SECRET_FILE",
        told="File with the secret that signs what this program is told.",
        read=_read_path,
        allowed=FILE,
        otherwise="none",
    ),
    Variable(
        field="metrics_from",
        name="BOOKMOBILE_METRICS_FROM",
        told="Machines that may read /metrics without signing in.",
        read=_read_networks,
        allowed="addresses or networks, comma between",
    ),
    Variable(
        field="oidc_issuer",
        name="BOOKMOBILE_OIDC_ISSUER",
        told="The organisation's OpenID Connect provider; without it, sign-in by password alone.",
        read=_read_issuer,
        allowed="https address",
        otherwise="none",
    ),
    Variable(
        field="oidc_client_id",
        name="BOOKMOBILE_OIDC_CLIENT_ID",
        told="Name under which the provider knows this service.",
        otherwise="none",
    ),
    Variable(
        field="oidc_secret_file",
        name="BOOKMOBILE_OIDC_SECRET_FILE",
        told="File with the secret that the provider gave; none for PKCE alone.",
        read=_read_path,
        allowed=FILE,
        otherwise="none",
    ),
    Variable(
        field="oidc_name",
        name="BOOKMOBILE_OIDC_NAME",
        told="What the button of this way to sign in calls it.",
    ),
    Variable(
        field="oidc_login_claim",
        name="BOOKMOBILE_OIDC_LOGIN_CLAIM",
        told="Which claim names the account on the first sign-in; email must be a verified one.",
        read=_read_claim,
        allowed="email or preferred_username",
    ),
)
