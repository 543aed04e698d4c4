"""The audit of need as pages show it: measured once, then filtered, sorted and quoted."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path

from api.progress import Ticker
from api.services.measuring import Measuring, MeasuringRun
from api.services.needs import NeedAudit, audit_region
from api.services.region_setup import region_files_folder
from api.services.roads import open_roads
from data.feeds.spreadsheet_text import harmless
from data.model.errors import InputError
from data.model.norms import AccessBand, Need, NeedStatus
from data.model.place import Library, Settlement
from data.model.region import Region
from maps.roads import Roads
from planner.need import LACKING

MOST_AUDITS = 12


class SortBy(StrEnum):
    """Columns by which the table can be sorted."""

    NAME = "name"
    DISTRICT = "district"
    POPULATION = "population"
    STATUS = "status"
    MINUTES = "minutes"
    KM = "km"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedLine:
    """One settlement of the audit, with everything that the verdict rests on."""

    settlement: Settlement
    district: str
    status: NeedStatus
    band: AccessBand
    library: Library | None
    """The library that serves it, or the nearest of all that count."""
    minutes: float | None
    km: float | None
    has_library_inside: bool

    @property
    def passes(self) -> bool:
        """Whether the norm is kept, be it by a library that is assumed."""
        return self.status not in LACKING

    @property
    def rests_on_assumption(self) -> bool:
        return self.status in (NeedStatus.SERVED_ASSUMED, NeedStatus.UNSERVED_ASSUMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedFilter:
    """Which settlements are wanted, in which order."""

    text: str = ""
    district: str = ""
    status: NeedStatus | None = None
    lacking: bool = False
    """Only those that fail the norm."""
    people_from: int | None = None
    people_to: int | None = None
    sort: SortBy = SortBy.STATUS
    descending: bool = False

    def apply(self, lines: Iterable[NeedLine]) -> tuple[NeedLine, ...]:
        """The lines that match, sorted; what is not known comes last either way."""
        found = [line for line in lines if self._matches(line)]
        found.sort(key=lambda line: line.settlement.name.casefold())
        known = [line for line in found if self._key(line) is not None]
        unknown = [line for line in found if self._key(line) is None]
        known.sort(key=lambda line: self._key(line) or 0, reverse=self.descending)
        return (*known, *unknown)

    def _matches(self, line: NeedLine) -> bool:
        place, people = line.settlement, line.settlement.population
        wanted = self.text.strip().casefold().replace("ё", "е")
        names = f"{place.name} {place.name_latin}".casefold().replace("ё", "е")
        return (
            wanted in names
            and (not self.district or place.municipality_id == self.district)
            and (self.status is None or line.status is self.status)
            and not (self.lacking and line.passes)
            and (self.people_from is None or (people is not None and people >= self.people_from))
            and (self.people_to is None or (people is not None and people <= self.people_to))
        )

    def _key(self, line: NeedLine) -> tuple[object, ...] | None:
        match self.sort:
            case SortBy.NAME:
                return (line.settlement.name.casefold().replace("ё", "е"),)
            case SortBy.DISTRICT:
                return (line.district.casefold(),) if line.district else None
            case SortBy.POPULATION:
                people = line.settlement.population
                return None if people is None else (people,)
            case SortBy.MINUTES:
                return None if line.minutes is None else (line.minutes,)
            case SortBy.KM:
                return None if line.km is None else (line.km,)
            case SortBy.STATUS:
                worst_first = list(reversed(NeedStatus))
                return (worst_first.index(line.status), -(line.settlement.population or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedRegion:
    """A region with its audit, line by line in the region's order."""

    region: Region
    on: date
    audit: NeedAudit
    lines: tuple[NeedLine, ...]


type AuditRun = MeasuringRun[AuditedRegion]
"""An audit that is being measured, or was."""


@dataclass(slots=True, kw_only=True)
class Audits:
    """Audits of this server, the last ones kept: one measuring at a time."""

    cache_dir: Path
    data_dir: Path
    _runs: Measuring[AuditedRegion] = field(default_factory=lambda: Measuring(most=MOST_AUDITS))

    def of(self, region: Region, revision: int, *, norm_set_id: str, on: date) -> AuditRun:
        """The audit of a region by a norm set on a date, begun if need be.

        Parameters
        ----------
        region
            As it was on the date.
        revision
            Of the region as read: with another one the audit is measured anew.
        """

        def measure(run: AuditRun) -> AuditedRegion:
            with stored_roads(region, self.data_dir, self.cache_dir, tick=run) as roads:
                audit = audit_region(region, roads, on=on, tick=run, norm_set_id=norm_set_id)
            lines = need_lines(region, audit)
            return AuditedRegion(region=region, on=on, audit=audit, lines=lines)

        return self._runs.begin((region.region_id, revision, norm_set_id, on), measure)


@contextmanager
def stored_roads(
    region: Region, data_dir: Path, cache_dir: Path, *, tick: Ticker
) -> Iterator[Roads]:
    """The roads of a region that the service keeps, its extract only from its own folder.

    Raises
    ------
    InputError
        ``jobs.extract_outside``.
    """
    folder = region_files_folder(data_dir, region.region_id)
    if Path(region.roads_file).name != region.roads_file:
        raise InputError("jobs.extract_outside", file=region.roads_file)
    with open_roads(region, folder, cache_dir=cache_dir, extract=None, tick=tick) as roads:
        yield roads


def need_lines(region: Region, audit: NeedAudit) -> tuple[NeedLine, ...]:
    """The audit settlement by settlement."""
    places = {s.settlement_id: s for s in region.settlements}
    districts: dict[str | None, str] = {m.municipality_id: m.name for m in region.municipalities}
    libraries: dict[str | None, Library] = {lib.library_id: lib for lib in audit.libraries}
    return tuple(
        _line(need, places[need.settlement_id], districts, libraries) for need in audit.needs
    )


def _line(
    need: Need,
    place: Settlement,
    districts: dict[str | None, str],
    libraries: dict[str | None, Library],
) -> NeedLine:
    return NeedLine(
        settlement=place,
        district=districts.get(place.municipality_id, ""),
        status=need.status,
        band=need.band,
        library=libraries.get(need.nearest_library_id),
        minutes=None if need.nearest_s is None else need.nearest_s / 60,
        km=None if need.nearest_m is None else need.nearest_m / 1000,
        has_library_inside=need.has_library_inside,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCount:
    """How many settlements and people have a status."""

    status: NeedStatus
    settlements: int
    people: int


def counts_of(lines: Sequence[NeedLine]) -> tuple[StatusCount, ...]:
    """Settlements and people by status, every status present, the worst first."""
    return tuple(
        StatusCount(
            status=status,
            settlements=sum(line.status is status for line in lines),
            people=sum(line.settlement.population or 0 for line in lines if line.status is status),
        )
        for status in reversed(NeedStatus)
    )


CSV_COLUMNS = (
    "settlement_id",
    "name",
    "district",
    "lon",
    "lat",
    "population",
    "population_year",
    "status",
    "passes",
    "library_inside",
    "nearest_library",
    "nearest_standing",
    "minutes",
    "km",
    "norm_minutes",
    "norm_km",
    "is_estimated",
    "norm_set_id",
    "on_date",
)


def csv_of(audited: AuditedRegion, lines: Iterable[NeedLine]) -> str:
    """Lines as CSV with English codes; no cell can run as a formula."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    norm_set_id, on = audited.audit.norm.norm_set_id, audited.on.isoformat()
    for line in lines:
        place, library = line.settlement, line.library
        row: dict[str, object] = {
            "settlement_id": place.settlement_id,
            "name": place.name,
            "district": line.district,
            "lon": place.lon,
            "lat": place.lat,
            "population": place.population,
            "population_year": place.population_year,
            "status": line.status.value,
            "passes": "yes" if line.passes else "no",
            "library_inside": "yes" if line.has_library_inside else "no",
            "nearest_library": library.name if library else None,
            "nearest_standing": library.standing.value if library else None,
            "minutes": None if line.minutes is None else round(line.minutes, 1),
            "km": None if line.km is None else round(line.km, 2),
            "norm_minutes": line.band.max_minutes,
            "norm_km": line.band.max_km,
            "is_estimated": "yes" if audited.audit.is_estimated else "no",
            "norm_set_id": norm_set_id,
            "on_date": on,
        }
        writer.writerow({name: harmless(value) for name, value in row.items()})
    return text.getvalue()
