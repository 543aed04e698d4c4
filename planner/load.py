"""Which items go on a run: the most loans to be expected under shelves, quotas and holds.

An integer program: one yes or no for each candidate. Each further item of a shelf draws fewer
readers than the one before, so that a load is mixed and not only the best shelf; that is a concave
reward on the number of items of a shelf. What no candidates can keep (too few accessible books,
say) is missed by as little as possible and told; it never makes a load impossible.

References
----------
Kellerer, Pferschy, Pisinger (2004), doi:10.1007/978-3-540-24777-7: knapsacks with cardinality.
"""

from collections.abc import Sequence

from planner.load_check import check_load
from planner.load_core import solve
from planner.load_problem import Candidate, LoadPlan, LoadRules
from planner.load_program import GRAIN, STAY, program_of


def plan_load(
    candidates: Sequence[Candidate],
    rules: LoadRules,
    *,
    num_readers: int | None = None,
    seed: int = 0,
    work: float = 20.0,
    guard_s: float = 300.0,
) -> LoadPlan:
    """Choose the items of a run.

    Parameters
    ----------
    num_readers
        Readers of the run's stops.
    work
        Limit of the search in the solver's own deterministic seconds: the same on every machine.
    guard_s
        Limit by the clock, in case a machine is much slower than that.

    Returns
    -------
    LoadPlan
        With the rules it could not keep; empty where there are no candidates.

    Raises
    ------
    ValueError
        Where an item is a candidate twice.
    """
    if len({c.item_id for c in candidates}) != len(candidates):
        raise ValueError("an item is a candidate twice")
    items = sorted(candidates, key=lambda c: c.item_id)
    program = program_of(items, rules, num_readers)
    if items:
        found = solve(program, seed=seed, work=work, guard_s=guard_s)
        load = [c for c, value in zip(items, found.values, strict=False) if value]
        missed = -sum(program.gains[c] * int(found.values[c]) for c in program.misses)
        # What is aboard is preferred by a little; that is no loan to be expected.
        other = missed - STAY * sum(c.is_aboard for c in load)
        worth, bound = (found.gain + other) / GRAIN, (found.bound + other) / GRAIN
        is_optimal = found.is_optimal
    else:
        load, worth, bound, is_optimal = [], 0.0, 0.0, True
    aboard = {c.item_id for c in items if c.is_aboard}
    ids = tuple(c.item_id for c in load)
    return LoadPlan(
        item_ids=ids,
        put_aboard=tuple(i for i in ids if i not in aboard),
        taken_off=tuple(sorted(aboard - set(ids))),
        counts=_counts(load, rules),
        length_mm=sum(c.thickness_mm for c in load),
        worth=worth,
        bound=bound,
        is_optimal=is_optimal,
        faults=check_load(items, rules, ids),
    )


def _counts(load: Sequence[Candidate], rules: LoadRules) -> dict[str, int]:
    counts = {"items": len(load), "held": sum(c.is_held for c in load)}
    return counts | {
        quota.value: sum(c.counts_for(quota) for c in load) for quota in rules.least_ratio
    }
