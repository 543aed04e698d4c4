"""Files with positions of a day, whatever program wrote them: GPX, NMEA, lines of messages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data.feeds.device_values import json_of
from data.feeds.gpx_track import read_gpx
from data.feeds.nmea_file import read_nmea
from data.feeds.tables import check_file
from data.model.errors import InputError
from data.model.telemetry import Decoded, DeviceId, Fix, Refusal, RefusedError
from fleet import batch, osmand, owntracks, traccar
from fleet.gpsd import GpsdReader

_HEAD_BYTES = 4096
_LINE_MAX = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFile:
    """What a file held: its kind, its fixes, what of it was refused with the line."""

    file: str
    kind: str
    fixes: tuple[Fix, ...]
    refusals: tuple[Refusal, ...]


def read_track(path: Path, *, on: date | None = None) -> TrackFile:
    """The fixes of a file; its content tells what it is.

    Files that do not name their device take the name of the file for it.

    Parameters
    ----------
    on
        Date of an NMEA log that has none.

    Raises
    ------
    InputError
        ``feeds.file.*``, ``gpx.*``, ``track.unknown_kind``.
    """
    check_file(path)
    device_id = DeviceId(path.stem)
    with path.open("rb") as source:
        head = source.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        fixes, refusals = read_gpx(path, device_id)
        return TrackFile(file=path.name, kind="gpx", fixes=fixes, refusals=refusals)
    if any(line.lstrip().startswith((b"$G", b"$I", b"\\")) for line in head.splitlines()):
        fixes, refusals = read_nmea(path, device_id, on=on)
        return TrackFile(file=path.name, kind="nmea", fixes=fixes, refusals=refusals)
    return _read_lines(path, device_id)


def _read_lines(path: Path, device_id: DeviceId) -> TrackFile:
    fixes: list[Fix] = []
    refusals: list[Refusal] = []
    decode: Callable[[str], Decoded] | None = None
    kind = ""
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for row, line in enumerate(lines, start=1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            if decode is None:
                kind, decode = _decoder_of(text, device_id)
                if decode is None:
                    raise InputError("track.unknown_kind", file=path.name, line=row)
            found = decode(text[:_LINE_MAX])
            fixes += found.fixes
            refusals += (
                Refusal(code=r.code, facts={**r.facts, "row": row}) for r in found.refusals
            )
    return TrackFile(file=path.name, kind=kind, fixes=tuple(fixes), refusals=tuple(refusals))


def _decoder_of(line: str, device_id: DeviceId) -> tuple[str, Callable[[str], Decoded] | None]:
    """The format of lines of messages by the first of them."""
    if not line.startswith("{"):
        is_query = ("lat=" in line and "lon=" in line) or "location=" in line
        return ("osmand", osmand.decode_query) if is_query else ("", None)
    try:
        told = json_of(line)
    except RefusedError:
        return "", None
    names = set(told) if isinstance(told, dict) else set()
    user, device = "file", str(device_id)
    if "_type" in names:
        topic = told.get("topic")
        if isinstance(topic, str):
            return "owntracks", owntracks.decode
        return "owntracks", lambda text: owntracks.decode(text, user=user, device=device)
    if "class" in names:
        return "gpsd", GpsdReader(device_id).decode
    if "fixes" in names:
        return "batch", lambda text: batch.decode(text, device_id).decoded
    if "location" in names:
        return "osmand", osmand.decode_json
    if "device" in names:
        return "traccar", traccar.decode
    return "", None
