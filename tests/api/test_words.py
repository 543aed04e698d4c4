"""Both catalogues hold the same keys, with the plural forms their language needs."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

import api
from api.words import LANGUAGES, Words

FOLDER = Path(str(api.__file__)).parent / "locales"
DOMAINS = sorted(p.name for p in (FOLDER / "en" / "LC_MESSAGES").glob("*.po"))


def catalogue(language: str, domain: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / domain).open("rb") as source:
        return read_po(source, locale=language)


@pytest.mark.parametrize("domain", DOMAINS)
def test_both_languages_hold_every_key(domain: str) -> None:
    """A code that one language has, the other has, and neither is empty or fuzzy."""
    keys = {}
    for language in LANGUAGES:
        messages = [m for m in catalogue(language, domain) if m.id]
        empty = [m.id for m in messages if not m.string or (m.pluralizable and not all(m.string))]
        assert not empty, f"{language}/{domain}: no text for {empty}"
        assert not [m.id for m in messages if m.fuzzy]
        keys[language] = {m.id for m in messages}
    assert keys["en"] == keys["ru"]


@pytest.mark.parametrize("domain", DOMAINS)
def test_both_languages_name_the_same_facts(domain: str) -> None:
    """A translation uses the same placeholders as its original, so that no fact is lost."""

    def names(text: str | tuple[str, ...] | list[str] | None) -> set[str]:
        joined = text if isinstance(text, str) else " ".join(text or ())
        return set(re.findall(r"\{(\w+)", joined))

    english = {m.id: names(m.string) for m in catalogue("en", domain) if m.id}
    russian = {m.id: names(m.string) for m in catalogue("ru", domain) if m.id}
    assert english == russian


def test_domains_agree() -> None:
    """Both languages have the same catalogue files."""
    assert sorted(p.name for p in (FOLDER / "ru" / "LC_MESSAGES").glob("*.po")) == DOMAINS


def test_numbers_follow_the_language() -> None:
    """Thousands and decimals are written the way the language does."""
    assert Words("en").number(1234.5, 1) == "1,234.5"
    assert Words("ru").number(1234.5, 1) == "1\N{NO-BREAK SPACE}234,5"


def test_a_currency_has_the_sign_of_the_language() -> None:
    """₽ in Russian, the code in English; what is no code of a currency is left as it was typed."""
    assert Words("ru").currency("RUB") == "₽"
    assert Words("en").currency("RUB") == "RUB"
    assert Words("ru").currency("руб.") == "руб."
    assert Words("ru").money(1234.5, "RUB") == "1\N{NO-BREAK SPACE}234,5\N{NO-BREAK SPACE}₽"
    assert Words("ru").money(7, "") == "7"
    assert Words("ru")("compare.cost", currency="RUB").endswith("₽")
