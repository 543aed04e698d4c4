"""The search over choices finds the best of few, values none twice and stops when told."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from planner.choices import Valued, best_choice, part_of
from planner.params import SolveParams


@dataclass
class Numbers:
    """Choose a number from 0 to 99; the nearer to 70 the better."""

    valued: list[int] = field(default_factory=list)

    def value(self, choice: int, best: int | None) -> tuple[int, tuple[float, ...]]:
        self.valued.append(choice)
        return choice, (float(abs(choice - 70)),)

    def neighbour(self, best: Valued[int, int], rng: np.random.Generator) -> int | None:
        drawn = best.choice + int(rng.integers(-5, 6))
        return drawn if 0 <= drawn < 100 else None


def test_the_best_choice_is_found_and_none_is_valued_twice() -> None:
    """From 3 steps of at most 5 lead to 70."""
    numbers = Numbers()
    best = best_choice(
        [3, 3, 1],
        value=numbers.value,
        neighbour=numbers.neighbour,
        rng=np.random.default_rng(1),
        is_over=lambda num: False,
    )
    assert (best.choice, best.rank) == (70, (0.0,))
    assert len(numbers.valued) == len(set(numbers.valued))
    assert numbers.valued[:2] == [3, 1]


@pytest.mark.parametrize("most", [0, 1, 5])
def test_the_first_choice_is_always_valued_and_the_limit_is_kept(most: int) -> None:
    """Even with no time left there is an answer; the same seed gives the same choices."""
    runs = []
    for _ in range(2):
        numbers = Numbers()
        best_choice(
            [50, 60],
            value=numbers.value,
            neighbour=numbers.neighbour,
            rng=np.random.default_rng(7),
            is_over=lambda num: num >= most,
        )
        runs.append(numbers.valued)
    assert runs[0] == runs[1]
    assert len(runs[0]) == max(1, most)


def test_no_first_choice_is_refused() -> None:
    """There is nothing to search from."""
    numbers = Numbers()
    with pytest.raises(ValueError, match="no first"):
        best_choice(
            [],
            value=numbers.value,
            neighbour=numbers.neighbour,
            rng=np.random.default_rng(1),
            is_over=lambda num: True,
        )


def test_parts_share_the_work_or_the_time() -> None:
    """With a limit on work the time that is left is the only guard of every part."""
    by_work = part_of(SolveParams(work_limit=1000, time_limit_s=60), 0.25, 3, left_s=50)
    assert (by_work.work_limit, by_work.time_limit_s, by_work.seed) == (250, 50, 4)
    by_time = part_of(SolveParams(time_limit_s=60), 0.25, 0, left_s=50, rounds=1)
    assert (by_time.work_limit, by_time.time_limit_s, by_time.rounds) == (None, 15, 1)
    assert part_of(SolveParams(time_limit_s=60), 0.5, 0, left_s=10).time_limit_s == 10
