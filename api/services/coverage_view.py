"""Coverage as pages show it: what is asked for, measured once, then filtered and told."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from sqlmodel import Session

from api.services.coverage import (
    cover_region,
    left_out_stops,
    plan_stops,
    promised_stops,
)
from api.services.coverage_report import CoverageReport, LeftOut, make_areas
from api.services.coverage_what_if import WhatIf, WhatIfAsked, what_if
from api.services.measuring import Measuring, MeasuringRun
from api.services.needs import placed_libraries
from api.services.needs_view import stored_roads
from api.services.plan_documents import open_plan
from api.words import Words
from data.db import publication_store
from data.model.costs import Costs
from data.model.coverage import (
    DAYS_28,
    Coverage,
    CoverageParams,
    Reach,
    ServedStop,
)
from data.model.coverage_count import Cut
from data.model.coverage_lines import CoverageLine
from data.model.errors import NotFoundError
from data.model.region import Region
from maps.coverage_ground import CoverageAreas

CURRENT = "current"
"""Stands for the timetable in force, where a plan's id may stand."""
MOST_KEPT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The stops of a plan, of the published timetable, or of nothing; ``name`` for people."""

    key: tuple[str, ...] = ()
    """Which stops these are: equal keys, equal stops."""
    code: str = "coverage.libraries_alone"
    facts: tuple[tuple[str, str], ...] = ()
    stops: tuple[ServedStop, ...] = ()
    left_out: LeftOut = ()

    def name(self, words: Words) -> str:
        """What these stops are, in words."""
        return words(self.code, **dict(self.facts))


NOTHING = Served()


def served_by(session: Session, region_id: str, which: str, on: date) -> Served:
    """The stops of a plan, by its id, of the timetable in force, or of nothing.

    Raises
    ------
    NotFoundError
        ``plan.unknown``, ``coverage.no_publication``.
    """
    if not which:
        return NOTHING
    if which == CURRENT:
        return _published(session, region_id, on)
    opened = open_plan(session, which)
    if opened.stored.region_id != region_id:
        raise NotFoundError("plan.unknown", plan_id=which)
    return Served(
        key=("plan", which, str(opened.stored.revision), opened.stored.changed_at.isoformat()),
        code="coverage.plan",
        facts=(("name", opened.stored.name),),
        stops=plan_stops(opened.request, opened.plan),
        left_out=left_out_stops(opened.request, opened.plan),
    )


def _published(session: Session, region_id: str, on: date) -> Served:
    """What is promised in the four weeks from a date, or from the first date after it."""
    timetable = publication_store.newest_timetable(session, region_id)
    if timetable is None:
        raise NotFoundError("coverage.no_publication")
    first = max(on, timetable.from_date)
    last = min(first + timedelta(days=DAYS_28 - 1), timetable.until_date)
    visits = publication_store.load_visits(session, region_id, from_date=first, until_date=last)
    revision = publication_store.publication_state(session, region_id).revision
    return Served(
        key=("current", str(revision), first.isoformat()),
        code="coverage.current",
        facts=(("version", str(timetable.version)),),
        stops=promised_stops(timetable.places, visits, num_days=(last - first).days + 1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageAsked:
    """Which coverage is asked for, of a region as it was on a date."""

    region: Region
    revision: int
    on: date
    params: CoverageParams
    before: Served
    after: Served

    @property
    def key(self) -> tuple[object, ...]:
        """Equal keys give equal figures."""
        who = (self.region.region_id, self.revision, self.on)
        return (*who, self.params, self.before.key, self.after.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCoverage:
    """Coverage that is measured, with the areas of its maps."""

    asked: CoverageAsked
    coverage: Coverage
    areas: CoverageAreas

    def report(self, words: Words) -> CoverageReport:
        """Told in one language; the last ones are kept."""
        return _report(_Kept(measured=self), words.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A measurement that is told from others by what was asked for."""

    measured: MeasuredCoverage

    def __hash__(self) -> int:
        return hash(self.measured.asked.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and self.measured is other.measured


@lru_cache(maxsize=MOST_KEPT)
def _report(kept: _Kept, language: str) -> CoverageReport:
    measured, words = kept.measured, Words(language)
    asked = measured.asked
    return CoverageReport(
        region=asked.region,
        coverage=measured.coverage,
        words=words,
        on=asked.on,
        before_name=asked.before.name(words),
        after_name=asked.after.name(words),
        areas=measured.areas,
        left_out=asked.after.left_out,
    )


type CoverageRun = MeasuringRun[MeasuredCoverage]


@dataclass(slots=True, kw_only=True)
class Coverages:
    """Coverages of this server, the last ones kept."""

    cache_dir: Path
    data_dir: Path
    _runs: Measuring[MeasuredCoverage] = field(default_factory=lambda: Measuring(most=MOST_KEPT))
    _what_ifs: Measuring[WhatIf] = field(default_factory=lambda: Measuring(most=MOST_KEPT))

    def of(self, asked: CoverageAsked) -> CoverageRun:
        """What is asked for, begun if need be."""

        def measure(run: CoverageRun) -> MeasuredCoverage:
            region = asked.region
            with stored_roads(region, self.data_dir, self.cache_dir, tick=run) as roads:
                coverage = cover_region(
                    region,
                    roads,
                    on=asked.on,
                    tick=run,
                    before=asked.before.stops,
                    after=asked.after.stops,
                    params=asked.params,
                )
                _, places = placed_libraries(region, asked.on)
                areas = make_areas(region, coverage, places, roads, run)
            return MeasuredCoverage(asked=asked, coverage=coverage, areas=areas)

        return self._runs.begin(asked.key, measure)

    def what_if(
        self, asked: CoverageAsked, branch: WhatIfAsked, costs: Costs
    ) -> MeasuringRun[WhatIf]:
        """What changes where a branch becomes a point plus a stop, begun if need be."""

        def measure(run: MeasuringRun[WhatIf]) -> WhatIf:
            region = asked.region
            with stored_roads(region, self.data_dir, self.cache_dir, tick=run) as roads:
                return what_if(
                    region,
                    roads,
                    branch,
                    on=asked.on,
                    params=asked.params,
                    stops=asked.after.stops,
                    costs=costs,
                    tick=run,
                )

        return self._what_ifs.begin((*asked.key, branch, costs), measure)


class Among(StrEnum):
    """Which settlements of a class a figure counts."""

    ALL = "all"
    COVERED_BEFORE = "covered_before"
    COVERED_AFTER = "covered_after"
    GAINED = "gained"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFilter:
    """Which settlements are wanted."""

    text: str = ""
    cut: Cut | None = None
    key: str = ""
    among: Among = Among.ALL
    before: Reach | None = None
    after: Reach | None = None

    def apply(self, lines: Iterable[CoverageLine]) -> tuple[CoverageLine, ...]:
        """Inhabited settlements that match, those with most people first."""
        found = [line for line in lines if line.is_inhabited and self._matches(line)]
        found.sort(key=lambda line: (-(line.settlement.population or 0), line.settlement.name))
        return tuple(found)

    def _matches(self, line: CoverageLine) -> bool:
        wanted = self.text.strip().casefold().replace("ё", "е")
        names = f"{line.settlement.name} {line.settlement.name_latin}"
        return (
            wanted in names.casefold().replace("ё", "е")
            and (self.cut is None or line.keys[self.cut] == self.key)
            and (self.before is None or line.before is self.before)
            and (self.after is None or line.after is self.after)
            and self._is_among(line)
        )

    def _is_among(self, line: CoverageLine) -> bool:
        match self.among:
            case Among.COVERED_BEFORE:
                return line.before is not Reach.NONE
            case Among.COVERED_AFTER:
                return line.is_covered
            case Among.GAINED:
                return line.is_gained
            case Among.LEFT:
                return not line.is_covered
        return True
