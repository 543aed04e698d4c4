"""Whether a load keeps its rules, told apart from how it was made."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from math import ceil

from data.model.stock import ItemId
from planner.load_problem import Candidate, LoadFault, LoadRules

_SLACK = 1e-6


def check_load(
    candidates: Sequence[Candidate], rules: LoadRules, item_ids: Collection[ItemId]
) -> tuple[LoadFault, ...]:
    """Every rule that a load does not keep, with code and amounts."""
    chosen = set(item_ids)
    load = [c for c in candidates if c.item_id in chosen]
    found = []
    if unknown := chosen - {c.item_id for c in load}:
        found.append(LoadFault(code="load.unknown", facts={"count": len(unknown)}))
    held = [c for c in candidates if c.is_held and c.item_id not in chosen]
    if held:
        found.append(LoadFault(code="load.hold_left", facts={"count": len(held)}))
    if len(load) > rules.num_items:
        facts = {"count": len(load), "limit": rules.num_items}
        found.append(LoadFault(code="load.too_many", facts=facts))
    length = sum(c.thickness_mm for c in load)
    if length > rules.capacity_mm + _SLACK:
        amounts = {"length_mm": round(length), "limit_mm": round(rules.capacity_mm)}
        found.append(LoadFault(code="load.too_long", facts=amounts))
    found += _quotas(load, rules)
    found += _shelves(load, rules)
    copies = Counter(c.title_id for c in load)
    held_copies = Counter(c.title_id for c in load if c.is_held)
    doubled = [t for t, n in copies.items() if n > max(rules.most_copies, held_copies[t])]
    if doubled:
        facts = {"count": len(doubled), "limit": rules.most_copies}
        found.append(LoadFault(code="load.copies", facts=facts))
    swaps = sum(not c.is_aboard and not c.is_held for c in load)
    if rules.most_swaps is not None and swaps > rules.most_swaps:
        facts = {"count": swaps, "limit": rules.most_swaps}
        found.append(LoadFault(code="load.swaps", facts=facts))
    return tuple(found)


def _quotas(load: Sequence[Candidate], rules: LoadRules) -> list[LoadFault]:
    found = []
    for quota, ratio in rules.least_ratio.items():
        count = sum(c.counts_for(quota) for c in load)
        wanted = ceil(ratio * len(load) - _SLACK)
        if count < wanted:
            facts = {"count": count, "wanted": wanted, "ratio": ratio}
            found.append(LoadFault(code=f"load.quota.{quota.value}", facts=facts))
    return found


def _shelves(load: Sequence[Candidate], rules: LoadRules) -> list[LoadFault]:
    lengths: dict[str, float] = defaultdict(float)
    for item in load:
        lengths[item.shelf] += item.thickness_mm
    found = []
    for shelf, rule in rules.shelves.items():
        length = lengths[shelf]
        facts = {"shelf": shelf, "length_mm": round(length)}
        if length < rule.least_mm - _SLACK:
            told = {**facts, "limit_mm": round(rule.least_mm)}
            found.append(LoadFault(code="load.shelf_short", facts=told))
        if rule.most_mm is not None and length > rule.most_mm + _SLACK:
            told = {**facts, "limit_mm": round(rule.most_mm)}
            found.append(LoadFault(code="load.shelf_long", facts=told))
    return found
