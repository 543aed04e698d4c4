"""Recorded days load row by row and come back as they were written."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.feeds.observed_csv import import_observed, write_observed
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.observed import ObservedVisit, VisitStatus

times = st.none() | st.integers(0, 2 * 86_400 - 1)


@st.composite
def visits(draw: st.DrawFn) -> ObservedVisit:
    seen = sorted(draw(st.lists(st.integers(0, 2 * 86_400 - 1), min_size=4, max_size=4)))
    arrival, opened, closed, departed = (draw(st.sampled_from((None, t))) for t in seen)
    word = st.text("абвкуйz0-9", min_size=3, max_size=8)
    return ObservedVisit(
        service_date=draw(st.dates(date(2020, 1, 1), date(2030, 1, 1))),
        vehicle_id=VehicleId(draw(word)),
        place_id=draw(word),
        planned_arrival_s=draw(times),
        planned_open_s=draw(times),
        planned_close_s=draw(times),
        planned_departure_s=draw(times),
        arrival_s=arrival,
        open_s=opened,
        close_s=closed,
        departure_s=departed,
        meal_s=draw(st.none() | st.integers(0, 240).map(lambda m: 60 * m)),
        visits=draw(st.none() | st.integers(0, 500)),
        loans=draw(st.none() | st.integers(0, 500)),
        status=draw(st.sampled_from(VisitStatus)),
        reason=draw(word),
    )


@settings(deadline=None, max_examples=50)
@given(visit=visits())
def test_any_record_comes_back(
    tmp_path_factory: pytest.TempPathFactory, visit: ObservedVisit
) -> None:
    """Reading gives back what was written."""
    path = tmp_path_factory.mktemp("days") / "days.csv"
    write_observed(path, [visit])
    read, report = import_observed(path)
    assert read == (visit,), report.problems


def test_good_rows_load_and_bad_ones_are_told(tmp_path: Path) -> None:
    """A diary in cp1251 under Russian heads: causes by row, the rest taken."""
    path = tmp_path / "дневник.csv"
    lines = (
        "Дата;Машина;Место;Прибытие;Открытие;Закрытие;Отправление;Посещения;Статус",
        "01.12.2026;kibo-1;kalinovka;9:40;9:50;11:20;11:26;14;выполнена",
        "01.12.2026;kibo-1;kamenskoe;12:10;12:05;13:00;13:10;9;",
        "01.12.2026;kibo-1;kalinovka;9:40;9:50;11:20;11:26;14;",
        "30.02.2026;kibo-1;kalinovka;9:40;;;;;",
        "02.12.2026;;kalinovka;25 часов;;;;-3;",
        "03.12.2026;kibo-1;zagorskoe;;;;;;отменена",
        "04.12.2026;kibo-1;zagorskoe;;;;;;",
    )
    path.write_text("\n".join(lines), encoding="cp1251")
    read, report = import_observed(path)
    assert [(v.service_date.day, v.place_id, v.visits, v.status.value) for v in read] == [
        (1, "kalinovka", 14, "done"),
        (3, "zagorskoe", None, "cancelled"),
        (4, "zagorskoe", None, "done"),
    ]
    assert (read[0].open_s, read[0].close_s) == (9 * 3600 + 50 * 60, 11 * 3600 + 20 * 60)
    assert [(p.code, p.row, p.verdict.value) for p in report.problems] == [
        ("feeds.row.times_backwards", 3, "rejected"),
        ("feeds.row.duplicate_id", 4, "rejected"),
        ("feeds.cell.not_a_date", 5, "rejected"),
        ("feeds.cell.missing", 6, "rejected"),
        ("feeds.cell.not_a_time", 6, "rejected"),
        ("feeds.cell.negative", 6, "rejected"),
        ("feeds.row.no_times", 8, "flagged"),
    ]
    assert report.num_rejected == 4


def test_a_table_without_dates_is_refused(tmp_path: Path) -> None:
    """The column that is missing is named."""
    path = tmp_path / "days.csv"
    path.write_text("vehicle,stop,arrival\nkibo-1,kalinovka,9:40\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        import_observed(path)
    assert caught.value.code == "feeds.columns.missing"
    assert caught.value.facts["column"] == "date"
