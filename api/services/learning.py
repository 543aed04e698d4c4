"""Learn from recorded days, and plan by what was learned."""

from dataclasses import dataclass
from pathlib import Path

from data.feeds.learned_file import digest_of, learned_in, read_learned
from data.model.demand import PrizeBy
from data.model.learned import Learned
from data.model.plan import Plan, PlanRequest
from data.model.stop_request import AskedPeople, asked_by_stop
from planner.learn.buffers import KEEP_RATIO, with_learned
from planner.learn.demand import prior_demand, with_asked, with_demand
from planner.learn.keeping import Kept, kept_arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """What a plan is to go by: learned times, how often arrivals are to be kept, the worth of a
    stop.
    """

    learned: Learned | None = None
    source: str = ""
    """Name and digest of the file that ``learned`` comes from."""
    keep_ratio: float = KEEP_RATIO
    prize_by: PrizeBy = PrizeBy.PEOPLE
    asked: tuple[AskedPeople, ...] = ()
    """Residents' requests for stops that a person has let count."""


NO_GUIDANCE = Guidance()


def guidance_of(
    folder: Path,
    *,
    learned_file: Path | None,
    use_learned: bool,
    keep_ratio: float,
    prize_by: PrizeBy,
) -> Guidance:
    """The guidance of a plan: the file given, else the region folder's own, unless none is wanted.

    Raises
    ------
    InputError
        ``feeds.file.*``, ``learned_file.*``.
    """
    path = learned_file or (learned_in(folder) if use_learned else None)
    if path is None:
        return Guidance(keep_ratio=keep_ratio, prize_by=prize_by)
    return Guidance(
        learned=read_learned(path),
        source=f"{path.name} {digest_of(path)}",
        keep_ratio=keep_ratio,
        prize_by=prize_by,
    )


def guided(request: PlanRequest, guidance: Guidance) -> PlanRequest:
    """A request with learned times, buffers and expected visits, as far as it is to have them."""
    learned = guidance.learned
    if learned is not None:
        request = with_learned(
            request, learned, source=guidance.source, keep_ratio=guidance.keep_ratio
        )
    if learned is not None or guidance.prize_by is PrizeBy.DEMAND:
        demand = prior_demand() if learned is None else learned.demand
        request = with_demand(request, demand, guidance.prize_by)
        request = with_asked(request, asked_by_stop(request.stops, guidance.asked))
    return request


def kept_by(request: PlanRequest, plan: Plan, guidance: Guidance) -> tuple[Kept, ...]:
    """How surely a plan's arrivals are kept; empty where nothing was learned."""
    if guidance.learned is None:
        return ()
    return kept_arrivals(request, plan, guidance.learned)
