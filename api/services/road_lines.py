"""Finds the ways of published runs along the roads, once, and keeps them.

A thread of the process that follows the vehicles looks now and then at what is published. Where a
region has roads it finds the line of each leg that is not kept yet; readers, the board and the
follower only look lines up. A region without roads has none: its legs are told as straight.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import batched
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api.progress import Quiet
from api.services.day_book import days_on
from api.services.duty import service_date_of
from api.services.leg_lines import Leg, legs_of_day, legs_of_plan
from api.services.plan_documents import open_plan
from api.services.region_home import check_inside
from api.services.roads import open_roads
from api.settings import Settings
from data.db import leg_line_store, publication_store, region_store
from data.db.engine import reading, writing
from data.feeds.region_folder import roads_path
from data.model.errors import BookmobileError, RoadsError
from data.model.lines import Line
from data.model.region import Region
from maps.roads import NO_ROUTE, OFF_NETWORK, Roads

log = logging.getLogger(__name__)

_EVERY_S = 15.0
_AGAIN_S = 600.0
"""A region whose roads could not be asked is tried again after so long."""
_AT_ONCE = 50
"""Lines stored in one transaction."""
_NO_WAY = frozenset({NO_ROUTE, *OFF_NETWORK.values()})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a region's lines were last made for."""

    revision: int
    timetable_id: str | None
    today: date
    mark: str


class RoadLines:
    """Keeps the lines of what is published; ``step`` is one round."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        is_mine: Callable[[], bool],
    ) -> None:
        self._engine, self._settings = engine, settings
        self._clock, self._is_mine = clock, is_mine
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: dict[str, _Seen] = {}
        self._failed_s: dict[str, float] = {}

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="road-lines", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the line that is being found."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=15)

    def _run(self) -> None:
        while not self._ending.wait(_EVERY_S):
            if not self._is_mine():
                continue
            try:
                self.step()
            except SQLAlchemyError:
                log.warning("road_lines.lost", exc_info=True)
            except Exception:  # the edge of a thread: the next round begins anew
                log.exception("road_lines.failed")

    def step(self) -> int:
        """Look at every region; the number of lines that were found."""
        with reading(self._engine) as session:
            regions = [r.region_id for r in region_store.list_regions(session)]
        found = 0
        for region_id in regions:
            if self._ending.is_set():
                break
            if time.monotonic() - self._failed_s.get(region_id, -1e9) < _AGAIN_S:
                continue
            try:
                found += self._of_region(region_id)
                self._failed_s.pop(region_id, None)
            except (BookmobileError, OSError) as error:
                self._failed_s[region_id] = time.monotonic()
                log.warning("road_lines.no_roads", extra={"region": region_id, "cause": str(error)})
        return found

    def _of_region(self, region_id: str) -> int:
        now = self._clock()
        with reading(self._engine) as session:
            seen = self._state(session, region_id, now)
            if seen is None or seen == self._seen.get(region_id):
                return 0
            region = region_store.load_region(session, region_id)
            extract = roads_path(region, check_inside(region, self._settings))
            if extract is None:
                self._seen[region_id] = seen
                return 0
            mark = _mark_of(extract)
            wanted = {leg.key: leg for leg in _wanted(session, region_id, seen.today)}
            known = leg_line_store.known_lines(session, region_id)
        missing = [leg for key, leg in wanted.items() if known.get(key, ("",))[0] != mark]
        number = self._find(region, missing, mark) if missing else 0
        before = now - timedelta(days=self._settings.track_keep_days)
        old = [key for key, (_, at) in known.items() if key not in wanted and at < before]
        if old:
            with writing(self._engine) as session:
                leg_line_store.drop_lines(session, region_id, old)
        if not self._ending.is_set():
            self._seen[region_id] = seen
        return number

    def _state(self, session: Session, region_id: str, now: datetime) -> _Seen | None:
        head = publication_store.region_head(session, region_id)
        newest = publication_store.newest_timetable_id(session, region_id)
        if newest is None:
            return None
        return _Seen(
            revision=publication_store.publication_state(session, region_id).revision,
            timetable_id=newest,
            today=service_date_of(now, ZoneInfo(head.time_zone)),
            mark=str(region_store.region_revision(session, region_id)),
        )

    def _find(self, region: Region, legs: Iterable[Leg], mark: str) -> int:
        folder = check_inside(region, self._settings)
        cache_dir = self._settings.cache_dir
        found = 0
        with open_roads(region, folder, cache_dir=cache_dir, extract=None, tick=Quiet()) as roads:
            for part in batched(legs, _AT_ONCE):
                lines = dict(self._lines(roads, part, region.language))
                with writing(self._engine) as session:
                    leg_line_store.put_lines(
                        session, region.region_id, lines, roads_mark=mark, at=self._clock()
                    )
                found += len(lines)
                if self._ending.is_set():
                    break
        log.info("road_lines.found", extra={"region": region.region_id, "number": found})
        return found

    def _lines(
        self, roads: Roads, legs: Iterable[Leg], language: str
    ) -> Iterator[tuple[str, Line]]:
        for leg in legs:
            if self._ending.is_set():
                return
            try:
                way = roads.route([leg.origin, leg.target], leg.vehicle, language)
            except RoadsError as error:
                if error.code not in _NO_WAY:
                    raise
                yield leg.key, ()
                continue
            yield leg.key, way.legs[0].line


def _wanted(session: Session, region_id: str, today: date) -> Iterator[Leg]:
    """The legs of every plan whose timetable is not over, and of what today and tomorrow became."""
    plan_ids: Mapping[str, None] = dict.fromkeys(
        t.plan_id
        for t in publication_store.list_timetables(session, region_id)
        if t.until_date >= today
    )
    for plan_id in plan_ids:
        opened = open_plan(session, plan_id)
        yield from legs_of_plan(opened.request, opened.plan)
    for on in (today, today + timedelta(days=1)):
        for day in days_on(session, region_id, on).values():
            yield from legs_of_day(day)


def _mark_of(extract: Path) -> str:
    """Names a file of roads by what a copy of it would not share with another."""
    found = extract.stat()
    told = f"{extract.name} {found.st_size} {found.st_mtime_ns}"
    return hashlib.blake2s(told.encode(), digest_size=16).hexdigest()
