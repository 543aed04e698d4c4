"""Why an item goes on a run or stays: one reason for each candidate of a load.

A reason names the first rule that decides, in the order in which a person would ask: is it wanted
by a reader, does another copy go, is its shelf full, can it be carried aboard, is it worth it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from data.model.stock import ItemId, TitleId
from planner.load_problem import Candidate, LoadPlan, LoadRules
from planner.load_worth import shelf_rates, worth_of

_CLOSE = 0.95


class Why(StrEnum):
    """Why an item goes (the first three) or stays."""

    HELD = "held"
    """Set aside for a reader of the run."""
    QUOTA = "quota"
    """By its worth alone it would stay; a quota needs it."""
    WORTH = "worth"
    """More loans are to be expected of it than of what stays."""
    COPY_GOES = "copy_goes"
    SHELF_FULL = "shelf_full"
    NO_HANDS = "no_hands"
    """Worth it, but no more than so many items are carried aboard."""
    WORTH_LESS = "worth_less"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why, with the loans that are to be expected of the item on this run."""

    why: Why
    worth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Reasons of all candidates.

    Parameters
    ----------
    least_worth
        Of the items that go for their worth, the least.
    """

    by_item: Mapping[ItemId, Reason]
    least_worth: float


def explain_load(
    candidates: Sequence[Candidate],
    rules: LoadRules,
    plan: LoadPlan,
    *,
    num_readers: int | None = None,
) -> Reasons:
    """Why each candidate goes or stays.

    Parameters
    ----------
    num_readers
        As ``plan_load`` was given it.
    """
    rates = shelf_rates(candidates)
    worth = {c.item_id: worth_of(c, rates, num_readers) for c in candidates}
    goes = set(plan.item_ids)
    load = [c for c in candidates if c.item_id in goes]
    counts = Counter(c.title_id for c in load)
    lengths: Counter[str] = Counter()
    for item in load:
        lengths[item.shelf] += int(item.thickness_mm)
    swaps = sum(not c.is_aboard and not c.is_held for c in load)
    is_laden = rules.most_swaps is not None and swaps >= rules.most_swaps
    staying = [c for c in candidates if c.item_id not in goes]
    could = [
        worth[c.item_id]
        for c in staying
        if _blocked(c, rules, counts, lengths, is_laden=is_laden) is None
    ]
    best_left = max(could, default=0.0)
    found: dict[ItemId, Reason] = {}
    for item in load:
        own = worth[item.item_id]
        is_quota = own < best_left * _CLOSE and any(item.counts_for(q) for q in rules.least_ratio)
        why = Why.HELD if item.is_held else Why.QUOTA if is_quota else Why.WORTH
        found[item.item_id] = Reason(why=why, worth=own)
    for item in staying:
        why = _blocked(item, rules, counts, lengths, is_laden=is_laden) or Why.WORTH_LESS
        found[item.item_id] = Reason(why=why, worth=worth[item.item_id])
    by_worth = [r.worth for r in found.values() if r.why is Why.WORTH]
    return Reasons(by_item=found, least_worth=min(by_worth, default=0.0))


def _blocked(
    item: Candidate,
    rules: LoadRules,
    counts: Counter[TitleId],
    lengths: Counter[str],
    *,
    is_laden: bool,
) -> Why | None:
    """The rule that keeps an item ashore whatever it is worth."""
    if counts[item.title_id] >= rules.most_copies:
        return Why.COPY_GOES
    shelf = rules.shelves.get(item.shelf)
    most = None if shelf is None else shelf.most_mm
    if most is not None and lengths[item.shelf] + item.thickness_mm > most:
        return Why.SHELF_FULL
    if is_laden and not item.is_aboard:
        return Why.NO_HANDS
    return None
