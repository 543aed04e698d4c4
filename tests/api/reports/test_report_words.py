"""Numbers in the words of reports: whatever the number, the sentence is right."""

import re

import pytest

from api.services.report_told import Teller
from api.words import Words, messages

AGREES = re.compile(r"\{\w+\}.?(стоян|выезд|экземпляр|дн(ей|я)|месяц|посещени)")


def test_no_noun_of_a_text_depends_on_its_number() -> None:
    """A noun after a number needs forms for 1, 2 and 5: texts of one form put the number behind."""
    texts = messages("ru", "reports")
    wrong = [c for c, text in texts.items() if isinstance(text, str) and AGREES.search(text)]
    assert len(texts) > 300
    assert wrong == []


@pytest.mark.parametrize("mean", [1.0, 2.0, 5.0, 21.0, 2.5])
def test_a_rule_reads_with_every_mean(mean: float) -> None:
    """One, two, five: the count stands after a colon."""
    told = Teller(words=Words("ru")).said_of("reports.rule.keep", {"mean": mean, "least": 1.0})
    assert told.startswith(f"Посещений на стоянку: {Words('ru').number(mean, 2)},")
