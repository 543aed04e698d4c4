"""Everything that is printed for readers is PDF/UA-1, in both languages."""

from collections.abc import Callable

import pytest

from api.print.typeset import TEMPLATES
from api.services.public_prints import SIZES, PublicPrints
from tests.api.publication.office import Office
from tests.api.publication.test_prints import KALUZHSKOE, prints_of, published_of
from tests.pdf_ua import assert_pdf_ua

CHECKED_HERE = {"poster", "large", "timetable"}
CHECKED_ELSEWHERE = {
    "report": "tests/api/reports/test_reports_http.py",
    "coverage": "tests/api/test_coverage_http.py",
    "run_sheet": "tests/api/diary/test_run_sheets.py",
}
MAKES: dict[str, Callable[[PublicPrints], bytes]] = {
    **{f"poster {size}": lambda p, size=size: p.posters(size) for size in SIZES},  # type: ignore[misc]
    "large": lambda p: p.region_large(),
    "large of a stop": lambda p: p.stop_large(KALUZHSKOE),
    "timetable": lambda p: p.timetable(),
}


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("make", MAKES)
def test_what_is_printed_for_readers_is_accessible(
    office: Office, make: str, language: str
) -> None:
    """No rule of PDF/UA-1 that a program can check is broken."""
    office.publish()
    assert_pdf_ua(MAKES[make](prints_of(published_of(office, phone="8 401"), language)))


def test_every_template_is_checked() -> None:
    """A new kind of paper must be held against the rules, too."""
    known = CHECKED_HERE | CHECKED_ELSEWHERE.keys()
    assert {t.stem for t in TEMPLATES.glob("*.typ")} - {"base"} == known
