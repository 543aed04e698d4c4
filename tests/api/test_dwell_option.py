"""``plan --dwell``: a range of open minutes, as people write it."""

import pytest

from api.services.dwelling import with_open_times
from data.model.errors import InputError
from tests.planner.examples import STOPS


@pytest.mark.parametrize("text", ["30-90", " 30 - 90 ", "30–90"])
def test_a_range_holds_for_every_stop(text: str) -> None:
    """Either dash will do; without a text the stops stay."""
    found = with_open_times(STOPS, text)
    assert {(s.service_s, s.service_most_s) for s in found} == {(1800, 5400)}
    assert with_open_times(STOPS, None) == STOPS


@pytest.mark.parametrize("text", ["", "90", "90-30", "0-30", "a-b", "30-90-120"])
def test_other_texts_are_refused(text: str) -> None:
    """What is no range is told as it was written."""
    with pytest.raises(InputError) as refused:
        with_open_times(STOPS, text)
    assert (refused.value.code, refused.value.facts["text"]) == ("dwell.bad_range", text)
