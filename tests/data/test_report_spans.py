"""The span a year before: whole months are held against whole months."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.services.report_stock import stock_span
from data.model.report import same_span
from data.model.report_settings import ReportSettings


@pytest.mark.parametrize(
    ("span", "years", "before"),
    [
        # February of a leap year has its 29th, whichever of the two is one.
        (("2025-02-01", "2025-02-28"), 1, ("2024-02-01", "2024-02-29")),
        (("2024-02-01", "2024-02-29"), 1, ("2023-02-01", "2023-02-28")),
        (("2025-01-01", "2025-02-28"), 1, ("2024-01-01", "2024-02-29")),
        (("2024-02-01", "2024-02-28"), 1, ("2023-02-01", "2023-02-28")),
        (("2026-03-01", "2026-03-31"), 1, ("2025-03-01", "2025-03-31")),
        (("2026-01-01", "2026-11-27"), 7, ("2019-01-01", "2019-11-27")),
        (("2025-12-15", "2026-02-28"), 2, ("2023-12-15", "2024-02-29")),
    ],
)
def test_a_span_of_whole_months_is_held_against_whole_months(
    span: tuple[str, str], years: int, before: tuple[str, str]
) -> None:
    """Its end is the month's end where it was; other ends keep their date."""
    first, last = (date.fromisoformat(d) for d in span)
    assert same_span(first, last, years) == tuple(date.fromisoformat(d) for d in before)


@given(st.dates(date(1991, 1, 1), date(2199, 12, 31)))
def test_the_stock_of_a_year_is_told_of_exactly_that_year(on: date) -> None:
    """The span that ends with a date begins on the day after that date a year before."""
    span = stock_span(ReportSettings(), on)
    assert span.until_date == on
    following = on + timedelta(days=1)
    if (on.month, on.day) != (2, 29) and (following.month, following.day) != (2, 29):
        assert span.from_date == following.replace(year=following.year - 1)
    assert 365 <= (on - span.from_date).days + 1 <= 366
