"""Search parameters come from tables, refuse nonsense, and the clock obeys them."""

import pytest

from planner.params import SolveParams
from planner.stopping import Clock


def test_a_table_gives_the_parameters_back() -> None:
    """What is written is read again."""
    params = SolveParams(seed=4, work_limit=10, rounds=5)
    assert SolveParams.from_mapping(params.to_mapping()) == params


@pytest.mark.parametrize(
    "values",
    [
        {"sead": 1},
        {"time_limit_s": 0},
        {"work_limit": 0},
        {"workers": 0},
        {"heat_start": 0.001},
        {"blink_ratio": 1.0},
        {"cluster_ratio": 1.5},
    ],
)
def test_nonsense_is_refused(values: dict[str, object]) -> None:
    """Unknown names and values out of range."""
    with pytest.raises(ValueError, match=next(iter(values))):
        SolveParams.from_mapping(values)


def test_rounds_share_the_work() -> None:
    """The steps of all rounds add up to the limit, the first takes most."""
    clock = Clock(SolveParams(work_limit=1001, rounds=3))
    steps = [clock.round_steps(turn) or 0 for turn in range(3)]
    assert sum(steps) == 1001
    assert steps[0] > steps[1]


def test_a_cancel_is_seen_once_and_kept() -> None:
    """After the caller said stop, the clock is over and says so."""
    clock = Clock(SolveParams(), lambda: True)
    assert not clock.is_over()
    assert clock.poll()
    assert clock.is_over()
    assert clock.reason() == "cancelled"
