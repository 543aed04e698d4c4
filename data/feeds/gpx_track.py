"""Tracks of a GPX file as fixes.

Only track points are fixes: a route is a plan, a waypoint a place. Speed and course are no part of
GPX 1.1; the elements of GPX 1.0 and of the usual extensions are read, in metres a second and
degrees. A document type is refused: it can make a small file grow beyond any memory.

References
----------
GPX 1.1 schema; Garmin TrackPointExtension v2.
"""

from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from data.feeds.device_values import instant_of_text, make_fix, needed, number, refusal_of, whole
from data.feeds.tables import check_file
from data.model.errors import InputError
from data.model.telemetry import DeviceId, Fix, Refusal, RefusedError, shown

_POINT = "trkpt"
_FIGURES = frozenset({"ele", "time", "sat", "hdop", "speed", "course", "fix"})
_TEXT_MAX = 64
_CHUNK = 1 << 16


@dataclass(slots=True)
class _Reader:
    """Collects track points while the parser goes through the file."""

    device_id: DeviceId
    fixes: list[Fix] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    point: dict[str, str] | None = None
    element: str = ""
    text: str = ""
    parser: expat.XMLParserType | None = None
    is_gpx: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self.is_gpx = self.is_gpx or local == "gpx"
        self.element, self.text = local, ""
        if local == _POINT:
            self.point = {k: v for k, v in attributes.items() if k in ("lat", "lon")}

    def characters(self, text: str) -> None:
        if self.point is not None and len(self.text) < _TEXT_MAX:
            self.text += text

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if self.point is not None and local in _FIGURES and local == self.element:
            self.point.setdefault(local, self.text.strip())
        if local == _POINT and self.point is not None:
            self._take(self.point)
            self.point = None
        self.element = ""

    def _take(self, told: dict[str, str]) -> None:
        try:
            if not told.get("time"):
                raise RefusedError("refusal.missing", field="time")
            self.fixes.append(
                make_fix(
                    self.device_id,
                    fix_at=instant_of_text(told["time"]),
                    lon=needed(told.get("lon"), name="lon"),
                    lat=needed(told.get("lat"), name="lat"),
                    speed_mps=number(told.get("speed")),
                    course_deg=number(told.get("course")),
                    altitude_m=number(told.get("ele")),
                    satellites=whole(told.get("sat")),
                    hdop=number(told.get("hdop")),
                    is_valid=told.get("fix") != "none",
                )
            )
        except RefusedError as wrong:
            row = 0 if self.parser is None else self.parser.CurrentLineNumber
            self.refusals.append(refusal_of(wrong, row=row))


def read_gpx(path: Path, device_id: DeviceId) -> tuple[tuple[Fix, ...], tuple[Refusal, ...]]:
    """The fixes of all tracks of a file in its order, and what was refused with its line.

    Raises
    ------
    InputError
        ``feeds.file.*``; ``gpx.not_xml``, ``gpx.not_gpx``, ``gpx.document_type``.
    """
    check_file(path)
    reader = _Reader(device_id)
    parser = reader.parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters

    def document_type(*_: object) -> None:
        raise InputError("gpx.document_type", file=path.name)

    parser.StartDoctypeDeclHandler = document_type
    with path.open("rb") as source:
        try:
            while chunk := source.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except expat.ExpatError as wrong:
            raise InputError(
                "gpx.not_xml", file=path.name, line=wrong.lineno, cause=shown(str(wrong))
            ) from wrong
    if not reader.is_gpx:
        raise InputError("gpx.not_gpx", file=path.name)
    return tuple(reader.fixes), tuple(reader.refusals)
