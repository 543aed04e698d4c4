"""Regions as they are now, read once for each revision.

A region never changes in place, so what was read for a revision holds as long as that revision.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session

from data.db import region_store
from data.model.region import Region

MOST_REGIONS = 8


@dataclass(slots=True)
class RegionCache:
    """The regions read last."""

    _held: OrderedDict[tuple[str, int, date | None], Region] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self, session: Session, region_id: str) -> tuple[Region, int]:
        """A region as its newest versions say, and its revision.

        Raises
        ------
        NotFoundError
            ``region.unknown``.
        """
        revision = region_store.region_revision(session, region_id)
        return self._read(session, region_id, revision, None), revision

    def load_on(self, session: Session, region_id: str, on: date) -> Region:
        """A region as it was on a date.

        Raises
        ------
        NotFoundError
            ``region.unknown``.
        """
        revision = region_store.region_revision(session, region_id)
        return self._read(session, region_id, revision, on)

    def _read(self, session: Session, region_id: str, revision: int, on: date | None) -> Region:
        key = (region_id, revision, on)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        region = region_store.load_region(session, region_id, on=on)
        with self._lock:
            self._held[key] = region
            while len(self._held) > MOST_REGIONS:
                self._held.popitem(last=False)
        return region
