"""The command of the on-board computer: reads gpsd, keeps positions, sends them."""

import fcntl
import logging
import resource
import shlex
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console

from api.common_cli import JsonOption, LangOption, print_json, words_for
from api.services.folders import made_folder
from api.services.token_file import read_token
from api.words import Words
from data.model.errors import InputError
from data.model.telemetry import DeviceId
from fleet.buffer import FILE, Buffer, BufferState
from fleet.forward import Forwarder
from fleet.http_post import Poster
from fleet.onboard import Intake, Onboard
from fleet.receiver import DEFAULT_PORT, Receiver

log = logging.getLogger("fleet.onboard")

_MEGABYTE = 1 << 20
_REPORT_S = 3600.0
UNIT = """[Unit]
Description=Bookmobile positions: gpsd to the library's service
After=network.target gpsd.service
Wants=gpsd.service

[Service]
Type=simple
ExecStart={command}
DynamicUser=yes
StateDirectory=bookmobile
LoadCredential=token:{token}
Environment=PYTHONSAFEPATH=1
Restart=always
RestartSec=5
MemoryMax=200M
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX

[Install]
WantedBy=multi-user.target
"""


class _Line(logging.Formatter):
    """An event and its fields on one line."""

    _KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        fields = {k: v for k, v in vars(record).items() if k not in self._KNOWN}
        told = "".join(f" {name}={value}" for name, value in fields.items())
        return f"{record.levelname.lower()} {record.getMessage()}{told}"


def onboard(
    server: Annotated[
        str | None,
        typer.Option("--server", metavar="URL", help="Address that takes positions."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the token of this device.")
    ] = None,
    store: Annotated[
        Path, typer.Option("--store", help="Folder where positions are kept until they are sent.")
    ] = Path("/var/lib/bookmobile"),
    gpsd: Annotated[
        list[str] | None,
        typer.Option(
            "--gpsd",
            metavar="HOST:PORT[/PATH]",
            help="A receiver; several in order of preference.",
        ),
    ] = None,
    every: Annotated[float, typer.Option("--every", min=1, help="Seconds between batches.")] = 5.0,
    parked: Annotated[
        float, typer.Option("--parked", min=0, help="Parked: keep one position in so many seconds.")
    ] = 15.0,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Megabytes that the store may take.")
    ] = 256,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, help="End after so many seconds.")
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Tell what is kept and not yet sent; then end.")
    ] = False,
    unit: Annotated[
        bool, typer.Option("--print-unit", help="Print a systemd unit for this command line.")
    ] = False,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Read gpsd, keep every position safe on the disk, send batches until the service has them.

    Without --server positions are only kept. Ends cleanly on SIGTERM.
    """
    words = words_for(lang)
    receivers = [_receiver(text) for text in gpsd or [f"127.0.0.1:{DEFAULT_PORT}"]]
    if unit:
        typer.echo(_unit(server, token_file, gpsd or [], every, parked, most), nl=False)
        return
    if status:
        _show_status(words, store, as_json=as_json)
        return
    poster = _poster(server, token_file)
    made_folder(store)
    held = _locked(store)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, force=True)
    logging.getLogger().handlers[0].setFormatter(_Line())
    buffer = Buffer(store, most_bytes=most * _MEGABYTE)
    forwarder = None if poster is None else Forwarder(buffer, poster, every_s=every)
    intake = Intake(buffer, parked_every_s=parked)
    program = Onboard(receivers, intake, forwarder)
    _run(program, intake, forwarder, seconds)
    held.close()


def _run(
    program: Onboard, intake: Intake, forwarder: Forwarder | None, seconds: float | None
) -> None:
    """Go on until a signal or the time is up; report each hour and at the end."""

    def ended(*_: object) -> None:
        program.request_stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ended)
    began = time.monotonic()
    log.info("started", extra={"pending": intake.buffer.num_pending})
    program.start()
    while True:
        left = _REPORT_S
        if seconds is not None:
            left = min(left, began + seconds - time.monotonic())
        is_last = seconds is not None and left < _REPORT_S
        if left <= 0 or program.wait(left) or is_last:
            break
        _report(intake, forwarder, time.monotonic() - began)
    state = intake.buffer.state()
    _report(intake, forwarder, time.monotonic() - began)
    program.stop()
    log.info("ended", extra={"pending": state.num_pending, "lost": state.num_lost})


def _report(intake: Intake, forwarder: Forwarder | None, elapsed_s: float) -> None:
    """What was kept and sent, and what it took."""
    days = max(elapsed_s, 1.0) / 86_400
    fields: dict[str, object] = dict(sorted(intake.counts.items()))
    fields["pending"] = intake.buffer.num_pending
    fields["memory_mb"] = round(_memory_bytes() / _MEGABYTE)
    if forwarder is not None:
        fields["sent"] = forwarder.num_sent
        fields["sent_bytes"] = forwarder.num_bytes
        fields["sent_mb_a_day"] = round(forwarder.num_bytes / days / _MEGABYTE, 2)
    log.info("report", extra=fields)


def _memory_bytes() -> int:
    """Memory that this program holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def _receiver(text: str) -> Receiver:
    """A receiver by ``HOST:PORT`` or ``HOST:PORT/dev/ttyUSB0``."""
    address, slash, path = text.partition("/")
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise InputError("onboard.bad_gpsd", value=text)
    return Receiver(
        device_id=DeviceId("onboard"),
        host=host,
        port=int(port),
        path=f"/{path}" if slash else None,
    )


def _poster(server: str | None, token_file: Path | None) -> Poster | None:
    if server is None:
        return None
    if token_file is None:
        raise InputError("onboard.token_needed")
    headers = {"Authorization": f"Bearer {read_token(token_file)}"}
    try:
        return Poster(server, headers=headers)
    except ValueError:
        raise InputError("simulate.bad_url", value=server) from None


def _locked(store: Path) -> IO[str]:
    """The lock of the store: two programs would give the same sequence twice."""
    held = (store / "lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as wrong:
        held.close()
        raise InputError("onboard.running", folder=store) from wrong
    return held


def _unit(
    server: str | None,
    token_file: Path | None,
    gpsd: list[str],
    every: float,
    parked: float,
    most: int,
) -> str:
    if server is None or token_file is None:
        raise InputError("onboard.unit_needs")
    program = Path(sys.argv[0])
    command = [str(program.resolve()) if program.is_file() else "bookmobile", "onboard"]
    command += ["--server", server, "--token-file", "%d/token", "--store", "%S/bookmobile"]
    for receiver in gpsd:
        command += ["--gpsd", receiver]
    command += ["--every", f"{every:g}", "--parked", f"{parked:g}", "--most", str(most)]
    # systemd's own percent signs stay, quotes are those of a shell.
    told = " ".join(part if part.startswith("%") else shlex.quote(part) for part in command)
    return UNIT.format(command=told, token=token_file.resolve())


def _show_status(words: Words, store: Path, *, as_json: bool) -> None:
    if not (store / FILE).is_file():
        raise InputError("onboard.no_store", folder=store)
    buffer = Buffer(store)
    try:
        state = buffer.state()
    finally:
        buffer.close()
    if as_json:
        print_json(_facts(state))
        return
    console = Console()
    console.print(words.count("onboard.pending", state.num_pending), markup=False)
    if state.oldest_at is not None:
        hours = (datetime.now(UTC) - state.oldest_at).total_seconds() / 3600
        console.print(words("onboard.oldest", hours=words.number(hours, 1)), markup=False)
    console.print(
        words(
            "onboard.counts",
            sent=words.number(state.num_sent),
            refused=words.number(state.num_refused),
            lost=words.number(state.num_lost),
            mb=words.number(state.bytes_used / _MEGABYTE, 1),
        ),
        markup=False,
    )


def _facts(state: BufferState) -> dict[str, object]:
    return {
        "num_pending": state.num_pending,
        "num_refused": state.num_refused,
        "num_lost": state.num_lost,
        "num_sent": state.num_sent,
        "bytes_used": state.bytes_used,
        "oldest_at": state.oldest_at,
    }
