"""How each kind of tracker is set up: steps, values to enter, the QR code that enters them."""

import base64
import json
from dataclasses import dataclass
from urllib.parse import urlencode

from data.model.tracker import Protocol, Tracker

INTERVAL_S = 15
"""Between two positions of a phone that drives."""
TOKEN_FILE = "/etc/bookmobile/token"
UNIT_FILE = "/etc/systemd/system/bookmobile-onboard.service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do, and what is to be entered or run there; ``code`` is its message."""

    code: str
    value: str = ""
    is_command: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One program, or one kind of device, with its steps; ``qr`` is what its QR code says."""

    code: str
    steps: tuple[Step, ...]
    qr: str = ""


def set_up_of(tracker: Tracker, secret: str | None, address: str) -> tuple[App, ...]:
    """The ways to set a tracker up.

    Parameters
    ----------
    secret
        ``None`` where its number alone is enough.
    address
        Where its device sends to: a URL, or ``HOST:PORT``.
    """
    told = secret or ""
    match tracker.protocol:
        case Protocol.OSMAND:
            return _traccar_client(tracker, told, address), _osmand(tracker, told, address)
        case Protocol.OWNTRACKS:
            return (_owntracks(tracker, told, address),)
        case Protocol.BOOKMOBILE:
            return (_onboard(told, address),)
        case Protocol.WIALON:
            return (_wialon(tracker, told, address),)
        case Protocol.TRACCAR:
            return (_traccar_server(told, address),)
        case _:
            return ()


def _with_secret(address: str, secret: str) -> str:
    """The address of an app that can send no header: the secret is the last part of its path."""
    return f"{address.rstrip('/')}/{secret}" if secret else address


def _traccar_client(tracker: Tracker, secret: str, address: str) -> App:
    """Its QR code is the address; it reads settings from the query and leaves that away."""
    target = _with_secret(address, secret)
    asked = {
        "id": tracker.external_id,
        "interval": INTERVAL_S,
        "distance": 0,
        "accuracy": "high",
        "buffer": "true",
        "stop_detection": "true",
    }
    return App(
        code="traccar",
        qr=f"{target}?{urlencode(asked)}",
        steps=(
            Step(code="traccar.install"),
            Step(code="traccar.scan"),
            Step(code="traccar.or", value=target),
            Step(code="traccar.id", value=tracker.external_id),
            Step(code="traccar.always"),
            Step(code="traccar.start"),
        ),
    )


def _osmand(tracker: Tracker, secret: str, address: str) -> App:
    """Its speed is left out: the app means metres a second, the protocol knots."""
    told = urlencode({"id": tracker.external_id})
    places = "lat={0}&lon={1}&timestamp={2}&hdop={3}&altitude={4}&bearing={6}"
    return App(
        code="osmand",
        steps=(
            Step(code="osmand.plugin"),
            Step(
                code="osmand.address",
                value=f"{_with_secret(address, secret)}?{told}&{places}",
                is_command=True,
            ),
            Step(code="osmand.interval"),
        ),
    )


def _owntracks(tracker: Tracker, secret: str, address: str) -> App:
    user, _, device = str(tracker.external_id).partition("/")
    settings = {
        "_type": "configuration",
        "mode": 3,
        "url": address,
        "auth": True,
        "username": user,
        "password": secret,
        "deviceId": device or user,
        "tid": (device or user)[-2:],
        "monitoring": 2,
        "locatorInterval": INTERVAL_S,
        "cmd": False,
    }
    inline = base64.b64encode(json.dumps(settings).encode()).decode()
    return App(
        code="owntracks",
        qr=f"owntracks:///config?inline={inline}",
        steps=(
            Step(code="owntracks.install"),
            Step(code="owntracks.scan"),
            Step(code="owntracks.mode", value=address),
            Step(code="owntracks.user", value=user),
            *((Step(code="owntracks.password", value=secret),) if secret else ()),
            Step(code="owntracks.device", value=device or user),
            Step(code="owntracks.move"),
        ),
    )


def _onboard(secret: str, address: str) -> App:
    command = f"bookmobile onboard --server {address} --token-file {TOKEN_FILE}"
    return App(
        code="bookmobile",
        steps=(
            Step(
                code="bookmobile.token",
                value=f"sudo install -D -m 600 /dev/stdin {TOKEN_FILE} <<< '{secret}'",
                is_command=True,
            ),
            Step(
                code="bookmobile.unit",
                value=(
                    f"{command} --print-unit | sudo tee {UNIT_FILE}\n"
                    "sudo systemctl enable --now bookmobile-onboard"
                ),
                is_command=True,
            ),
            Step(code="bookmobile.status", value="bookmobile onboard --status", is_command=True),
        ),
    )


def _wialon(tracker: Tracker, secret: str, address: str) -> App:
    return App(
        code="wialon",
        steps=(
            Step(code="wialon.protocol"),
            Step(code="wialon.server", value=address)
            if ":" in address
            else Step(code="wialon.off"),
            Step(code="wialon.id", value=tracker.external_id),
            *((Step(code="wialon.password", value=secret),) if secret else ()),
            Step(code="wialon.interval"),
        ),
    )


def _traccar_server(secret: str, address: str) -> App:
    lines = (
        "<entry key='forward.type'>json</entry>",
        f"<entry key='forward.url'>{address}</entry>",
        f"<entry key='forward.header'>Authorization: Bearer {secret}</entry>",
        "<entry key='forward.retry.enable'>true</entry>",
    )
    return App(
        code="traccar_server",
        steps=(
            Step(code="traccar_server.file", value="\n".join(lines), is_command=True),
            Step(code="traccar_server.adopt"),
        ),
    )
