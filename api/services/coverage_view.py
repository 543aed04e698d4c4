"""Coverage as pages show it: what is asked for, measured once, then filtered and told."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from sqlmodel import Session

from api.progress import Ticker
from api.services.coverage import (
    counted_libraries,
    cover_region,
    left_out_stops,
    plan_stops,
    promised_stops,
)
from api.services.coverage_report import CoverageReport, LeftOut, make_areas
from api.services.coverage_what_if import WhatIf, WhatIfAsked, what_if
from api.services.measuring import Measuring, MeasuringRun
from api.services.needs import NeedAudit, audit_region
from api.services.needs_view import stored_roads
from api.services.plan_documents import open_plan
from api.words import Words
from data.db import publication_store
from data.model.costs import Costs
from data.model.coverage import (
    DAYS_28,
    Coverage,
    CoverageParams,
    ServedStop,
)
from data.model.errors import InputError, NotFoundError
from data.model.region import Region
from maps.coverage_ground import CoverageAreas
from maps.roads import Roads

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
    audit: NeedAudit | None = None
    """By the region's norm, where it has one that its roads can be held to."""

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
        audit=measured.audit,
    )


type CoverageRun = MeasuringRun[MeasuredCoverage]


def _audit(asked: CoverageAsked, roads: Roads, tick: Ticker) -> NeedAudit | None:
    if not asked.region.norm_set_id:
        return None
    try:
        return audit_region(asked.region, roads, on=asked.on, tick=tick)
    except InputError:
        # Roads of another region: the page of needs tells it, with what to do.
        return None


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
                _, places = counted_libraries(region, asked.on, asked.params)
                areas = make_areas(region, coverage, places, roads, run)
                audit = _audit(asked, roads, run)
            return MeasuredCoverage(asked=asked, coverage=coverage, areas=areas, audit=audit)

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
