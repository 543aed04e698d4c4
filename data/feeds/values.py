"""Cells to values: numbers, counts, dates, times, yes or no, lists, windows of the day.

Every function takes the text of one cell. An empty cell, or one of the ways of saying "no data",
is ``None``; a cell that cannot be read raises ``CellError``.
"""

import math
import re
import unicodedata
from datetime import date, datetime

from data.model.calendar import DAY_S, HOUR_S, MINUTE_S, Window
from data.model.errors import InputError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""How region files write weekdays; the index is the weekday, Monday is 0."""

_WEEKDAY_WORDS = {
    word: day
    for day, words in enumerate(
        (
            "mon monday пн понедельник",
            "tue tues tuesday вт вторник",
            "wed wednesday ср среда",
            "thu thur thurs thursday чт четверг",
            "fri friday пт пятница",
            "sat saturday сб суббота",
            "sun sunday вс воскресенье",
        )
    )
    for word in words.split()
}

_NO_DATA = frozenset(
    [
        "-",
        "--",
        "–",
        "—",
        "−",
        "…",
        "...",
        "..",
        ".",
        "?",
        "*",
        "x",
        "х",
        "н/д",
        "н.д.",
        "н.д",
        "нд",
        "нет_данных",
        "неизвестно",
        "нет_сведений",
        "не_указано",
        "n/a",
        "na",
        "n.a.",
        "#n/a",
        "#н/д",
        "nan",
        "null",
        "none",
        "nil",
        "no_data",
        "unknown",
    ]
)
_NO_TEXT = frozenset(
    ["-", "–", "—", "н/д", "нет_данных", "n/a", "#n/a", "#н/д", "no_data", "nan", "null"]
)
_YES = frozenset(["1", "true", "yes", "y", "t", "да", "д", "есть", "+", "истина"])
_NO = frozenset(["0", "false", "no", "n", "f", "нет", "н", "ложь"])
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?")
_GROUPED = re.compile(r"([+-]?)(\d{1,3})(([ '_])\d{3}(?:\4\d{3})*)([.,]\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3}){2,}(\.\d+)?|[+-]?\d{1,3}(?:,\d{3})+\.\d+")
_DATE_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%Y", "%Y%m%d", "%Y-%m-%dT%H:%M:%S")
_COMMA_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?::(\d{2}))?")


MOST_COUNTED = 1_000_000_000
"""A count above it is a slip: no place has so many people."""


class CellError(InputError):
    """A cell whose text is not what its column asks for."""


def _squeezed(text: str) -> str:
    return "_".join(text.casefold().split())


def is_missing(text: str) -> bool:
    """Whether a cell says that the value is not known (empty, ``-``, ``н/д``, ``n/a`` …)."""
    squeezed = _squeezed(text)
    return not squeezed or squeezed in _NO_DATA


def tidy_text(text: str) -> str:
    """A text cell without outer blanks, its letters composed (NFC); empty if it says "no data"."""
    kept = unicodedata.normalize("NFC", text).strip()
    return "" if _squeezed(kept) in _NO_TEXT else kept


def parse_number(text: str) -> float | None:
    """A decimal number with point or comma; thousands may be apart by blanks or apostrophes.

    Raises
    ------
    CellError
        ``feeds.cell.not_a_number``; also for infinity and for text such as ``1,234,5``.
    """
    if is_missing(text):
        return None
    plain = re.sub(r"[\s\u00a0\u2007\u202f\u2009]", " ", text.strip()).replace("\u2212", "-")
    plain = plain.replace("\u2019", "'")
    if grouped := _GROUPED.fullmatch(plain):
        plain = grouped[1] + grouped[2] + re.sub(r"\D", "", grouped[3]) + (grouped[5] or "")
    elif _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise CellError("feeds.cell.not_a_number")
    number = float(plain.replace(",", "."))
    if not math.isfinite(number):
        raise CellError("feeds.cell.not_a_number")
    return number


def parse_count(text: str) -> int | None:
    """A whole number of people or things, zero or more; ``1,234`` is read as 1234.

    Raises
    ------
    CellError
        ``feeds.cell.not_a_number``, ``feeds.cell.negative``, ``feeds.cell.too_large`` or
        ``feeds.cell.not_whole``.
    """
    stripped = text.strip()
    if _COMMA_THOUSANDS.fullmatch(stripped):
        return int(stripped.replace(",", ""))
    number = parse_number(stripped)
    if number is None:
        return None
    if number < 0:
        raise CellError("feeds.cell.negative")
    if number > MOST_COUNTED:
        raise CellError("feeds.cell.too_large", most=MOST_COUNTED)
    if number != int(number):
        raise CellError("feeds.cell.not_whole")
    return int(number)


def parse_date(text: str) -> date | None:
    """A date as ``2026-11-30``, ``30.11.2026`` or ``30/11/2026`` (day first).

    Raises
    ------
    CellError
        ``feeds.cell.not_a_date``
    """
    if is_missing(text):
        return None
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    raise CellError("feeds.cell.not_a_date")


def parse_clock_s(text: str) -> int | None:
    """A time of day as ``9:05`` or ``09:05``, in seconds from midnight; 24:00 and later may stand.

    Raises
    ------
    CellError
        ``feeds.cell.not_a_time``
    """
    if is_missing(text):
        return None
    found = _CLOCK.fullmatch(text.strip())
    if not found or int(found[2]) >= 60 or int(found[3] or 0) >= 60:
        raise CellError("feeds.cell.not_a_time")
    seconds = int(found[1]) * HOUR_S + int(found[2]) * MINUTE_S + int(found[3] or 0)
    if seconds >= 2 * DAY_S:
        raise CellError("feeds.cell.not_a_time")
    return seconds


def parse_yes_no(text: str) -> bool | None:
    """``true`` or ``false``, ``yes`` or ``no``, ``да`` or ``нет``, ``1`` or ``0``.

    Raises
    ------
    CellError
        ``feeds.cell.not_yes_no``
    """
    squeezed = _squeezed(text)
    if squeezed in _YES:
        return True
    if squeezed in _NO:
        return False
    if is_missing(text):
        return None
    raise CellError("feeds.cell.not_yes_no")


def parse_weekday(text: str) -> int:
    """A weekday name, English or Russian, short or long; Monday is 0.

    Raises
    ------
    CellError
        ``feeds.cell.not_a_weekday``
    """
    day = _WEEKDAY_WORDS.get(text.strip().rstrip(".").casefold())
    if day is None:
        raise CellError("feeds.cell.not_a_weekday")
    return day


def parse_list(text: str) -> tuple[str, ...]:
    """The parts of a cell, apart by semicolons; empty parts are left out."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def parse_weekdays(text: str) -> frozenset[int]:
    """Weekdays apart by semicolons or commas."""
    return frozenset(parse_weekday(part) for part in parse_list(text.replace(",", ";")))


def parse_windows(text: str) -> tuple[Window, ...]:
    """Windows of the day such as ``09:00-12:00;13:00-15:00@tue,thu``.

    Raises
    ------
    CellError
        ``feeds.cell.not_a_window``, or ``feeds.cell.window_backwards`` for one that ends before
        it starts.
    """
    return tuple(_parse_window(part) for part in parse_list(text))


def _parse_window(part: str) -> Window:
    span, _, days = part.partition("@")
    start, dash, end = span.replace("–", "-").partition("-")
    try:
        start_s, end_s = parse_clock_s(start), parse_clock_s(end)
        weekdays = parse_weekdays(days)
    except CellError as wrong:
        raise CellError("feeds.cell.not_a_window", window=part) from wrong
    if not dash or start_s is None or end_s is None:
        raise CellError("feeds.cell.not_a_window", window=part)
    if end_s <= start_s:
        raise CellError("feeds.cell.window_backwards", window=part)
    return Window(start_s=start_s, end_s=end_s, weekdays=weekdays)


def seconds_of_minutes(minutes: float) -> int:
    """Whole seconds of minutes; the one place where files' minutes become seconds."""
    return round(minutes * MINUTE_S)


def write_number(number: float | None) -> str:
    """A number so that reading gives the same one back; ``None`` is an empty cell."""
    if number is None:
        return ""
    return str(int(number)) if number == int(number) else repr(float(number))


def write_minutes(seconds: int) -> str:
    return write_number(seconds / MINUTE_S)


def write_clock(seconds: int) -> str:
    """``HH:MM``, with ``:SS`` only where the seconds are not zero."""
    clock = f"{seconds // HOUR_S:02d}:{seconds % HOUR_S // MINUTE_S:02d}"
    return clock if seconds % MINUTE_S == 0 else f"{clock}:{seconds % MINUTE_S:02d}"


def write_date(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def write_yes_no(claim: bool | None) -> str:  # noqa: FBT001
    return "" if claim is None else ("true" if claim else "false")


def write_weekdays(weekdays: frozenset[int], separator: str = ";") -> str:
    return separator.join(WEEKDAYS[day] for day in sorted(weekdays))


def write_windows(windows: tuple[Window, ...]) -> str:
    return ";".join(
        f"{write_clock(w.start_s)}-{write_clock(w.end_s)}"
        + (f"@{write_weekdays(w.weekdays, ',')}" if w.weekdays else "")
        for w in windows
    )
