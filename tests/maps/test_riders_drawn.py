"""The map says who rides with a run and who comes to a stop."""

from api.words import Words
from maps.draw import draw_map
from tests import plan_example as example
from tests.data.test_riders import OFF, UNTIL, case
from tests.maps.test_draw import features


def test_the_map_names_who_comes_along() -> None:
    """Runs name their riders; a stop its services, date by date as they come."""
    request, plan = case()
    page = draw_map(
        example.region(),
        example.needs(),
        request,
        plan,
        None,
        Words("ru"),
        estimated=True,
        until=UNTIL,
    )
    data = features(page)
    assert "Анна (детский библиотекарь), Олег (нотариус)" in str(data)
    cottesmore = data["stops"][0]
    told = {data["dates"][day][0]: clock for day, clock in cottesmore["dates"]}
    assert told["2026-03-02"].endswith("приезжают детский библиотекарь, нотариус")
    assert told[OFF.isoformat()].endswith("приезжает нотариус")
    exton = data["stops"][1]
    assert not [clock for _, clock in exton["dates"] if "приезжа" in clock]
