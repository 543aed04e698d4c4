"""Progress tells the best so far and its gap to what no plan can exceed."""

import pytest

from api.services.telling import Limits, tell_progress
from api.words import Words
from data.model.demand import PrizeBy
from planner.solve import Progress
from tests.planner.instances import make_request, make_stop


class Listener:
    """A ticker that remembers the last thing told, in words."""

    def __init__(self, lang: str) -> None:
        self.words = Words(lang)
        self.text = ""

    def phase(self, code: str) -> None:
        pass

    def fraction(self, done: float) -> None:
        pass

    def best(self, text_code: str, **facts: object) -> None:
        self.text = self.words(text_code, **facts)

    def should_stop(self) -> bool:
        return False


def state(*, prize: float, travel_s: float, missing: int = 0) -> Progress:
    """A search half done."""
    return Progress(
        fraction=0.5, elapsed_s=1.0, mandatory_unserved=missing, prize=prize, travel_s=travel_s
    )


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_the_gap_is_told_of_optional_stops_alone(lang: str) -> None:
    """The prize of a mandatory stop is in the bound and not in what the search tells."""
    stops = (make_stop("a", mandatory=True), make_stop("b"), make_stop("c"))
    limits = Limits.of(make_request(stops))
    assert limits == Limits(prize=200.0)
    heard = Listener(lang)
    tell_progress(state(prize=150.0, travel_s=7200.0), limits, PrizeBy.PEOPLE, heard)
    assert "25" in heard.text
    assert "150" in heard.text


def test_the_driving_is_bounded_where_all_stops_are_mandatory() -> None:
    """One stop, ten minutes there and back: driving twice the least is 100 % above it."""
    request = make_request((make_stop("a", mandatory=True),))
    limits = Limits.of(request)
    assert limits == Limits(drive_s=1200)
    heard = Listener("en")
    tell_progress(state(prize=0.0, travel_s=2400.0), limits, PrizeBy.PEOPLE, heard)
    assert "100 %" in heard.text


def test_what_is_not_served_yet_is_told_first() -> None:
    """While mandatory stops are missing no gap means anything."""
    heard = Listener("en")
    limits = Limits(prize=10.0)
    tell_progress(state(prize=5.0, travel_s=1.0, missing=3), limits, PrizeBy.PEOPLE, heard)
    assert "3" in heard.text
    assert "%" not in heard.text
