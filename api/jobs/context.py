"""What a runner works with: the job, what it is asked, the region as the database has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from api.progress import Ticker
from api.services.plan_documents import OpenedPlan, open_plan
from api.services.region_home import check_inside
from api.services.roads import open_roads
from api.settings import Settings
from data.db import region_store
from data.db.engine import reading
from data.model.jobs import Job
from data.model.region import Region
from maps.roads import Roads
from planner.params import SolveParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A job on its way; the search reads the database and writes nothing."""

    job: Job
    settings: Settings
    engine: Engine
    tick: Ticker
    now: datetime

    def region(self, first: date | None) -> tuple[Region, date, int]:
        """The region as it is on the first date of a plan, that date, and the revision read.

        Without a date it is the region's own start, else the next Monday. A plan of past dates
        has the region as it is today.
        """
        with reading(self.engine) as session:
            region = region_store.load_region(session, self.job.region_id)
            today = self.now.astimezone(ZoneInfo(region.time_zone)).date()
            start = first or region.start_date or _next_monday(today)
            region = region_store.load_region(session, self.job.region_id, on=max(start, today))
            return region, start, region_store.region_revision(session, self.job.region_id)

    def plan(self, plan_id: str) -> OpenedPlan:
        """A stored plan in its present state.

        Raises
        ------
        NotFoundError
            ``plan.unknown``.
        """
        with reading(self.engine) as session:
            return open_plan(session, plan_id)

    @contextmanager
    def roads(self, region: Region) -> Iterator[Roads]:
        """The roads of the region: the extract in its folder, else the estimate."""
        folder = check_inside(region, self.settings)
        with open_roads(
            region, folder, cache_dir=self.settings.cache_dir, extract=None, tick=self.tick
        ) as roads:
            yield roads

    def solve_params(self, *, time_limit_s: float) -> SolveParams:
        """Seed, threads and limits as asked."""
        params = self.job.params
        return SolveParams(
            seed=params["seed"],
            time_limit_s=time_limit_s,
            work_limit=params["work_limit"],
            workers=params["threads"],
        )


def _next_monday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday())
