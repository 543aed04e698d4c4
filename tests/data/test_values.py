"""Cells become values the way people write them, in Russian and English tables."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.feeds.values import (
    CellError,
    is_missing,
    parse_clock_s,
    parse_count,
    parse_date,
    parse_number,
    parse_weekdays,
    parse_windows,
    parse_yes_no,
    write_clock,
    write_minutes,
    write_number,
    write_windows,
)
from data.model.calendar import Window


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234", 1234),
        ("1 234", 1234),
        ("1\u00a0234", 1234),
        ("12\u202f345,5", 12345.5),
        ("1,234,567", 1234567),
        ("1,234.5", 1234.5),
        ("1’234", 1234),
        ("54,7064", 54.7064),
        ("-3.25", -3.25),
        ("\u22123,25", -3.25),
        ("1e3", 1000),
    ],
)
def test_numbers_are_read_as_written(text: str, number: float) -> None:
    """Thousands apart by blanks of any kind, decimal commas and points give the same numbers."""
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text", ["", " ", "-", "—", "н/д", "Н/Д", "нет данных", "n/a", "#Н/Д", "…", "None", "nan"]
)
def test_no_data_is_missing(text: str) -> None:
    """The ways of saying "no data" are missing, never zero and never an error."""
    assert is_missing(text)
    assert parse_number(text) is None
    assert parse_count(text) is None


@pytest.mark.parametrize(
    "text", ["abc", "1,2,3", "12 34", "1 234 56", "12%", "0x10", "inf", "1..2"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    """Half numbers are refused, not guessed at."""
    with pytest.raises(CellError) as caught:
        parse_number(text)
    assert caught.value.code == "feeds.cell.not_a_number"


def test_counts_are_whole_and_not_negative() -> None:
    """People are counted in whole numbers from zero."""
    assert parse_count("1,234") == 1234
    assert parse_count("12.0") == 12
    with pytest.raises(CellError) as caught:
        parse_count("-5")
    assert caught.value.code == "feeds.cell.negative"
    with pytest.raises(CellError) as caught:
        parse_count("12,5")
    assert caught.value.code == "feeds.cell.not_whole"


def test_dates_times_and_answers() -> None:
    """Dates are day first, times may lack a zero, yes and no come in two languages."""
    assert parse_date("30.11.2026") == parse_date("2026-11-30") == date(2026, 11, 30)
    assert parse_clock_s("9:05") == 9 * 3600 + 300
    assert parse_yes_no("Да") is True
    assert parse_yes_no("нет") is False
    assert parse_yes_no("") is None
    assert parse_weekdays("пн; ср,Friday") == {0, 2, 4}
    for parse, text in ((parse_date, "31.02.2026"), (parse_clock_s, "9:75"), (parse_yes_no, "ну")):
        with pytest.raises(CellError):
            parse(text)


def test_windows() -> None:
    """Windows may name weekdays; one that ends before it starts is refused by name."""
    assert parse_windows("09:00-12:00;13:00-15:00@tue,thu") == (
        Window(start_s=32400, end_s=43200),
        Window(start_s=46800, end_s=54000, weekdays=frozenset({1, 3})),
    )
    with pytest.raises(CellError) as caught:
        parse_windows("09:00-12:00;15:00-13:00")
    assert caught.value.code == "feeds.cell.window_backwards"
    assert caught.value.facts["window"] == "15:00-13:00"
    with pytest.raises(CellError) as caught:
        parse_windows("morning")
    assert caught.value.code == "feeds.cell.not_a_window"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_written_numbers_read_back(number: float) -> None:
    """A written number is the same number."""
    assert parse_number(write_number(number)) == number


@given(st.integers(0, 2 * 86_400 - 1))
def test_written_times_read_back(seconds: int) -> None:
    """Clock times and minutes come back to the second."""
    assert parse_clock_s(write_clock(seconds)) == seconds
    minutes = parse_number(write_minutes(seconds))
    assert minutes is not None
    assert round(minutes * 60) == seconds


@given(
    st.lists(
        st.builds(
            lambda start, length, days: Window(
                start_s=start, end_s=start + length, weekdays=frozenset(days)
            ),
            st.integers(0, 86_000),
            st.integers(1, 80_000),
            st.sets(st.integers(0, 6)),
        ),
        max_size=4,
    )
)
def test_written_windows_read_back(windows: list[Window]) -> None:
    """A cell of windows says them all."""
    assert parse_windows(write_windows(tuple(windows))) == tuple(windows)


@pytest.mark.parametrize("text", ["1e99", "20000000000"])
def test_more_people_than_there_are(text: str) -> None:
    """A count beyond every place on earth is refused, never carried into a table."""
    with pytest.raises(CellError):
        parse_count(text)
