"""Words for people: message codes to Russian or English, numbers and dates by locale.

The catalogues are ``api/locales/<language>/LC_MESSAGES/<domain>.po``; the message id is the code
(``region.unknown_key``), so both languages are translations of it. They are read as they are, no
compiled copy is kept.
"""

import gettext
import io
from datetime import date
from functools import cache
from importlib.resources import files

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_currency_symbol

from data.model.crew import service_name
from data.model.errors import BookmobileError

LANGUAGES = ("en", "ru")


@cache
def _catalogue(language: str) -> gettext.GNUTranslations:
    merged: gettext.GNUTranslations | None = None
    folder = files("api") / "locales" / language / "LC_MESSAGES"
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".po"):
            continue
        compiled = io.BytesIO()
        with entry.open("rb") as source:
            write_mo(compiled, read_po(source, locale=language))
        compiled.seek(0)
        translations = gettext.GNUTranslations(compiled)
        if merged is not None:
            translations.add_fallback(merged)
        merged = translations
    if merged is None:
        raise FileNotFoundError(f"no catalogue for language {language}")
    return merged


def messages(language: str, domain: str) -> dict[str, str | list[str]]:
    """The messages of one catalogue by code, as they stand there; plural forms as a list.

    A catalogue that does not exist has none.
    """
    entry = files("api") / "locales" / language / "LC_MESSAGES" / f"{domain}.po"
    if not entry.is_file():
        return {}
    found: dict[str, str | list[str]] = {}
    with entry.open("rb") as source:
        for message in read_po(source, locale=language):
            if message.id:
                code = message.id if isinstance(message.id, str) else message.id[0]
                text = message.string
                found[code] = text if isinstance(text, str) else list(text or ())
    return found


class Words:
    """The words of one language.

    Parameters
    ----------
    language
        ``"en"`` or ``"ru"``; a locale such as ``ru_RU`` is cut to its language, anything else
        becomes English.
    """

    def __init__(self, language: str) -> None:
        short = language.replace("-", "_").split("_")[0].lower()
        self.language = short if short in LANGUAGES else "en"
        self._locale = "en_GB" if self.language == "en" else self.language
        self._catalogue = _catalogue(self.language)

    def __call__(self, code: str, /, **facts: object) -> str:
        """The message of a code with its facts filled in."""
        return self._catalogue.gettext(code).format_map(_Facts(self._named(facts)))

    def _named(self, facts: dict[str, object]) -> dict[str, object]:
        """The facts with codes of services and of a currency as people read them."""
        told: dict[str, object] = {}
        services, currency = facts.get("services"), facts.get("currency")
        if isinstance(services, str):
            told["services"] = ", ".join(service_name(s, self) for s in services.split(", ") if s)
        if isinstance(currency, str):
            told["currency"] = self.currency(currency)
        return facts | told if told else facts

    def count(self, code: str, n: int, /, **facts: object) -> str:
        """The plural form of a code for ``n``; ``{n}`` in the message is the formatted number."""
        message = self._catalogue.ngettext(code, code, n)
        return message.format_map(_Facts({"n": self.number(n), **facts}))

    def error(self, error: BookmobileError) -> str:
        """An error as a person reads it."""
        return self(error.code, **error.facts)

    def number(self, value: float, digits: int = 0) -> str:
        """A number by locale, with at most ``digits`` decimals."""
        told = round(value, digits) or 0  # a nought has no sign
        return str(format_decimal(told, format="#,##0.###", locale=self._locale))

    def decimal(self, value: float, digits: int) -> str:
        """A number by locale, with just so many decimals: columns of them line up."""
        told = round(value, digits) or 0
        form = "#,##0." + "0" * digits if digits else "#,##0"
        return str(format_decimal(told, format=form, locale=self._locale))

    def currency(self, code: str) -> str:
        """The sign of a currency as the language writes it: ``RUB`` is ₽ in Russian."""
        return str(get_currency_symbol(code, locale=self._locale)) if code else ""

    def money(self, amount: float, code: str, digits: int = 2) -> str:
        """An amount with its currency, by locale."""
        return f"{self.number(amount, digits)}\N{NO-BREAK SPACE}{self.currency(code)}".rstrip()

    def percent(self, ratio: float, digits: int = 1) -> str:
        gap = "\N{NO-BREAK SPACE}" if self.language == "ru" else ""
        return f"{self.number(100 * ratio, digits)}{gap}%"

    def day(self, value: date, form: str = "medium") -> str:
        """A date by locale; ``form`` is a Babel format name or pattern."""
        return str(format_date(value, format=form, locale=self._locale))

    def weekday(self, value: date) -> str:
        return self.day(value, "EEE")

    @staticmethod
    def clock(seconds: int) -> str:
        """Seconds from midnight as ``HH:MM``; a time past midnight says ``24:10``."""
        return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"
