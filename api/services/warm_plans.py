"""What is worked out once of a state of a plan, so that the next step is judged in milliseconds."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from api.services.plan_documents import OpenedPlan
from data.model.nights import nights_of
from data.model.plan import Violation
from planner.retime import Retimer
from planner.score import PlanSummary, check, summarise

MOST_WARM = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """A state's broken rules and figures, and what times its runs anew."""

    violations: tuple[Violation, ...]
    summary: PlanSummary
    retimer: Retimer


_warm: OrderedDict[tuple[str, int], Warm] = OrderedDict()
_lock = Lock()


def warmed(opened: OpenedPlan) -> Warm:
    """What is known of an opened state; a state never changes once it is stored."""
    key = (opened.stored.plan_id, opened.stored.revision)
    with _lock:
        known = _warm.get(key)
        # Its request is told by identity: a database made anew may use an id again.
        if known is not None and known.retimer.request is opened.request:
            _warm.move_to_end(key)
            return known
    known = Warm(
        violations=check(opened.request, opened.plan),
        summary=summarise(opened.request, opened.plan),
        retimer=Retimer(opened.request, nights_of(opened.request, opened.plan)),
    )
    with _lock:
        _warm[key] = known
        while len(_warm) > MOST_WARM:
            _warm.popitem(last=False)
    return known
