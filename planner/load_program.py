"""The integer program of a load, as columns and rows of whole numbers for any solver."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from planner.load_problem import Candidate, LoadRules
from planner.load_worth import shelf_rates, worth_of

GRAIN = 10_000
"""Expected loans are counted in parts of so many."""
TENTH_MM = 10
PARTS = 10_000
MISS = 200 * GRAIN
"""What one missing book of a quota weighs: more than all that a load can draw."""
MISS_TENTH_MM = MISS // 200
HALF_AT = 0.25
"""At this part of a load the next item of a shelf draws half as much as the first."""
STEPS = 12
STAY = 10
"""Grains by which an item aboard is preferred: none is carried for less than that."""


@dataclass(frozen=True, slots=True)
class Row:
    """A sum over columns that is at most ``most``."""

    columns: list[int]
    weights: list[int]
    most: int


@dataclass(slots=True)
class Program:
    """Columns with a gain each and a range from 0 or 1, and rows over them.

    The first columns are the items: 1 where it goes.
    """

    num_items: int
    gains: list[int] = field(default_factory=list)
    least: list[int] = field(default_factory=list)
    most: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    misses: list[int] = field(default_factory=list)
    """Columns that tell how much of a rule is not kept."""

    def column(self, gain: int, most: int, least: int = 0) -> int:
        self.gains.append(gain)
        self.least.append(least)
        self.most.append(most)
        return len(self.gains) - 1

    def at_most(self, columns: Sequence[int], weights: Sequence[int], most: int) -> None:
        self.rows.append(Row(list(columns), list(weights), most))

    def missing(self, most: int, weight: int) -> int:
        """A column for how much of a rule is not kept."""
        column = self.column(-weight, most)
        self.misses.append(column)
        return column


def program_of(items: Sequence[Candidate], rules: LoadRules, num_readers: int | None) -> Program:
    """The program whose best solution is the best load."""
    rates = shelf_rates(items)
    program = Program(num_items=len(items))
    for item in items:
        gain = round(GRAIN * worth_of(item, rates, num_readers)) + STAY * item.is_aboard
        program.column(gain, 1, least=int(item.is_held))
    lengths = [ceil(c.thickness_mm * TENTH_MM) for c in items]
    _limits(program, items, rules, lengths)
    _quotas(program, items, rules)
    by_shelf: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        by_shelf[item.shelf].append(index)
    for shelf, indices in by_shelf.items():
        _draw(program, indices, rates[shelf], rules.num_items)
    for shelf, rule in rules.shelves.items():
        indices = by_shelf.get(shelf, [])
        own = [lengths[i] for i in indices]
        held = sum(lengths[i] for i in indices if items[i].is_held)
        if rule.most_mm is not None:
            program.at_most(indices, own, max(int(rule.most_mm * TENTH_MM), held))
        if rule.least_mm > 0:
            least = ceil(rule.least_mm * TENTH_MM)
            missed = program.missing(least, MISS_TENTH_MM)
            program.at_most([*indices, missed], [-x for x in (*own, 1)], -least)
    return program


def _limits(
    program: Program, items: Sequence[Candidate], rules: LoadRules, lengths: Sequence[int]
) -> None:
    everything = range(len(items))
    held = [i for i in everything if items[i].is_held]
    # Holds go in any case, even where they alone are more than fits; the checker tells.
    program.at_most(everything, [1] * len(items), max(rules.num_items, len(held)))
    capacity = max(int(rules.capacity_mm * TENTH_MM), sum(lengths[i] for i in held))
    program.at_most(everything, lengths, capacity)
    copies: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        copies[item.title_id].append(index)
    for indices in copies.values():
        allowed = max(rules.most_copies, sum(items[i].is_held for i in indices))
        if len(indices) > allowed:
            program.at_most(indices, [1] * len(indices), allowed)
    if rules.most_swaps is not None:
        swaps = [i for i in everything if not items[i].is_aboard and not items[i].is_held]
        program.at_most(swaps, [1] * len(swaps), rules.most_swaps)


def _quotas(program: Program, items: Sequence[Candidate], rules: LoadRules) -> None:
    """Each quota's part of all items that go.

    What the stock itself lacks costs nothing, or a load would be made small only to need less.
    """
    for quota, ratio in rules.least_ratio.items():
        parts = round(ratio * PARTS)
        own = [c for c in items if c.counts_for(quota)]
        at_hand = sum(c.is_aboard or c.is_held for c in own)
        carried = len(own) - at_hand
        if rules.most_swaps is not None:
            carried = min(carried, rules.most_swaps)
        lacking = max(0, ceil(ratio * rules.num_items) - at_hand - carried)
        weights = [parts - PARTS * c.counts_for(quota) for c in items]
        missed = program.missing(rules.num_items, MISS)
        program.at_most([*range(len(items)), missed], [*weights, -PARTS], PARTS * lacking)


def _draw(program: Program, indices: Sequence[int], rate: float, num_items: int) -> None:
    """The draw of a shelf by the number of its items: each step of them draws less."""
    before = 0
    steps = []
    for size in _sizes(num_items):
        part = (before + size / 2) / (HALF_AT * num_items)
        steps.append(program.column(round(GRAIN * rate / (1 + part)), min(size, len(indices))))
        before += size
    program.at_most([*steps, *indices], [1] * len(steps) + [-1] * len(indices), 0)


def _sizes(num_items: int) -> list[int]:
    """Sizes of the steps, together as large as a load, the first ones fine."""
    size = max(1, ceil(num_items / (2 * STEPS)))
    return [size * (1 + k // 4) for k in range(STEPS)]
