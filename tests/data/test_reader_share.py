"""The share of registered readers stands apart from access coverage."""

import pytest

from data.model.reader_share import ReaderShare


def test_a_share_is_held_against_the_target() -> None:
    """350 readers of 1,000 people are exactly the target; one fewer is not."""
    exact = ReaderShare(readers=350, population=1000)
    assert exact.is_reached
    assert exact.readers_lacking == 0
    short = ReaderShare(readers=349, population=1000)
    assert short.is_reached is False
    assert short.readers_lacking == 1
    assert short.ratio == pytest.approx(0.349)


def test_an_unknown_population_gives_no_share() -> None:
    """Nothing is claimed of people who were not counted."""
    share = ReaderShare(readers=10, population=None)
    assert share.ratio is None
    assert share.is_reached is None
    assert share.readers_lacking is None


@pytest.mark.parametrize(("readers", "population"), [(-1, 10), (1, -10)])
def test_negative_counts_are_refused(readers: int, population: int) -> None:
    """A count below zero is a slip."""
    with pytest.raises(ValueError, match="readers"):
        ReaderShare(readers=readers, population=population)
