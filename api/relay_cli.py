"""The command of the vehicle's own computer that keeps tablets' events and brings them on."""

import base64
import json
import logging
import secrets
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import segno
import typer

from api.common_cli import LangOption, words_for
from api.services.folders import made_folder
from api.services.token_file import read_token
from data.model.errors import InputError
from fleet.relay_forward import RelayForwarder, service_of
from fleet.relay_http import RelayServer
from fleet.relay_store import RelayStore

log = logging.getLogger("fleet.relay")

SECRET_FILE = "relay-secret"
SECRET_BYTES = 24
DEFAULT_PORT = 8443
_PRUNE_S = 3600.0


def relay(
    server: Annotated[str, typer.Option("--server", metavar="URL", help="Address of the service.")],
    token_file: Annotated[
        Path, typer.Option("--token-file", help="File with the token of this computer.")
    ],
    address: Annotated[
        str,
        typer.Option(
            "--address",
            metavar="URL",
            help="Address by which tablets reach this computer: https://192.168.8.1:8443.",
        ),
    ],
    certificates: Annotated[
        Path | None,
        typer.Option("--certificates", help="Folder that `bookmobile cert --folder` has filled."),
    ] = None,
    store: Annotated[Path, typer.Option("--store", help="Folder where events are kept.")] = Path(
        "/var/lib/bookmobile"
    ),
    host: Annotated[str, typer.Option("--host", help="Network to listen on.")] = "0.0.0.0",
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between looks.")] = 5.0,
    pairing: Annotated[
        bool, typer.Option("--pairing", help="Show the code that a tablet opens; then end.")
    ] = False,
    lang: LangOption = None,
) -> None:
    """Keep tablets' events on the vehicle; bring them to the service when there is a network."""
    words = words_for(lang)
    service, own = service_of(server), service_of(address)
    port = _port_of(own)
    made_folder(store)
    secret = _own_secret(store)
    if pairing:
        link = pairing_link(service, own, secret)
        typer.echo(words("relay.pairing", link=link))
        segno.make(link, error="m").terminal(compact=True)
        return
    token = read_token(token_file)
    files = _files(own, certificates)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, force=True)
    kept = RelayStore(store)
    try:
        door = RelayServer((host, port), kept, secret, frozenset({service}), *files)
    except OSError as wrong:
        raise InputError("relay.no_door", host=host, port=port, cause=str(wrong)) from wrong
    _run(door, kept, RelayForwarder(kept, service, token, every_s=every))


def pairing_link(service: str, own: str, secret: str) -> str:
    """What a tablet opens once to know this computer; the part behind # goes to no server."""
    told = json.dumps({"url": own, "secret": secret}, separators=(",", ":")).encode()
    return f"{service}/tablet#relay/{base64.urlsafe_b64encode(told).decode().rstrip('=')}"


def _run(door: RelayServer, kept: RelayStore, forwarder: RelayForwarder) -> None:
    """Answer tablets and bring events on, until a signal."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def heard(at: datetime) -> None:
        door.server_at = at

    def forward() -> None:
        while not stop.wait(forwarder.step()):
            pass

    forwarder.heard = heard
    threads = [
        threading.Thread(target=door.serve_forever, daemon=True),
        threading.Thread(target=forward, daemon=True),
    ]
    for thread in threads:
        thread.start()
    log.info("relay started, waiting=%d", kept.count_waiting())
    while not stop.wait(_PRUNE_S):
        kept.prune(datetime.now(UTC))
    door.shutdown()
    door.server_close()
    threads[1].join(timeout=10)
    forwarder.close()
    log.info("relay ended, waiting=%d", kept.count_waiting())
    kept.close()


def _port_of(own: str) -> int:
    try:
        _, _, place = own.partition("://")
        told = place.rpartition(":")[2] if ":" in place.rpartition("]")[2] else ""
        port = int(told) if told else 443
    except ValueError:
        port = 0
    if not own.startswith(("https://", "http://")) or not 0 < port < 65_536:
        raise InputError("relay.bad_address", value=own)
    return port


def _own_secret(store: Path) -> str:
    """The secret of this computer, made at its first start, readable by its owner alone."""
    path = store / SECRET_FILE
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(SECRET_BYTES), encoding="ascii")
    return read_token(path)


def _files(own: str, certificates: Path | None) -> tuple[Path | None, Path | None]:
    if own.startswith("http://"):
        return None, None
    folder = certificates or Path()
    files = folder / "server.pem", folder / "server.key"
    if certificates is None or not all(f.is_file() for f in files):
        raise InputError("relay.no_certificate", folder=str(certificates or "–"), address=own)
    return files
