"""Reports built a moment ago: the page, its charts and its files are asked for one by one."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import date

from fastapi import Request

from data.model.report import Report, ReportAsked

MOST = 12
KEEP_S = 60.0
type Stand = tuple[ReportAsked, date, int, int]
"""What is asked for, the last date told, the revisions of the region and of its diary."""
_LOCK = threading.Lock()


class ReportShelf:
    """The reports built last, each for a minute; another state of the diary is another report."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._held: OrderedDict[Stand, tuple[float, Report]] = OrderedDict()
        self._lock = threading.Lock()
        self._clock_s = clock_s

    def take(self, stand: Stand) -> Report | None:
        """The report as it was built, unless that is too long ago."""
        with self._lock:
            built_s, report = self._held.get(stand, (0.0, None))
            return report if report and self._clock_s() - built_s < KEEP_S else None

    def put(self, stand: Stand, report: Report) -> None:
        """Keep a report for what is asked of it next."""
        with self._lock:
            self._held[stand] = self._clock_s(), report
            self._held.move_to_end(stand)
            while len(self._held) > MOST:
                self._held.popitem(last=False)


def shelf_of(request: Request) -> ReportShelf:
    """The application's shelf, made at the first."""
    state = request.app.state
    with _LOCK:
        shelf: ReportShelf | None = getattr(state, "report_shelf", None)
        if shelf is None:
            shelf = state.report_shelf = ReportShelf()
        return shelf
