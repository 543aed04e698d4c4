"""When a stop is visited by rule: the columns of its table, to values and back."""

from data.feeds.rows import Row
from data.feeds.values import write_date
from data.model.recurrence import Recurrence, parse_rule
from data.model.seasons import SchoolTime, Season, parse_season

RECURRENCE_COLUMNS = (
    "recurrence",
    "first_date",
    "last_date",
    "exceptions",
    "extra_dates",
    "seasons",
    "school",
)


def recurrence_from_row(row: Row) -> Recurrence | None:
    """The rule of a row; ``None`` where all its columns are empty or one cannot be read.

    Notes ``feeds.row.not_a_rule``, ``feeds.row.not_a_season``, ``feeds.row.not_a_school``,
    ``feeds.row.dates_backwards``, ``feeds.row.count_needs_date`` or
    ``feeds.row.rule_off_weekdays``.
    """
    if not any(row.has(column) for column in RECURRENCE_COLUMNS):
        return None
    before = len(row.problems)
    rule = _rule(row)
    first, last = row.day("first_date"), row.day("last_date")
    if first is not None and last is not None and last < first:
        row.note("feeds.row.dates_backwards", "last_date", first=first.isoformat())
    seasons = tuple(s for part in row.parts("seasons") if (s := _season(row, part)) is not None)
    school_time, school = _school(row)
    exceptions, extra_dates = row.days("exceptions"), row.days("extra_dates")
    if rule and parse_rule(rule).count is not None and first is None:
        row.note("feeds.row.count_needs_date", "recurrence")
    if len(row.problems) > before:
        return None
    return Recurrence(
        rule=rule,
        start_date=first,
        end_date=last,
        exceptions=exceptions,
        extra_dates=extra_dates,
        seasons=seasons,
        school_time=school_time,
        school=school,
    )


def _rule(row: Row) -> str:
    text = row.text("recurrence")
    if not text:
        return ""
    try:
        rule = parse_rule(text)
    except ValueError:
        row.note("feeds.row.not_a_rule", "recurrence")
        return ""
    allowed = row.weekdays("weekdays")
    if allowed and not allowed.issuperset(day for _, day in rule.weekdays):
        row.note("feeds.row.rule_off_weekdays", "recurrence", weekdays=row.text("weekdays"))
    return text


def _season(row: Row, part: str) -> Season | None:
    try:
        return parse_season(part)
    except ValueError:
        row.note("feeds.row.not_a_season", "seasons", value=part)
        return None


def _school(row: Row) -> tuple[SchoolTime | None, str]:
    """``term`` or ``holidays`` with the calendar's name after a colon."""
    text = row.text("school")
    if not text:
        return None, ""
    word, _, name = text.partition(":")
    times = {time.value: time for time in SchoolTime}
    time = times.get(word.strip().casefold())
    if time is None or not name.strip():
        row.note("feeds.row.not_a_school", "school")
        return None, ""
    return time, name.strip()


def recurrence_cells(item: Recurrence | None) -> dict[str, str]:
    """The cells of a rule; all empty without one."""
    if item is None:
        return dict.fromkeys(RECURRENCE_COLUMNS, "")
    return {
        "recurrence": item.rule,
        "first_date": write_date(item.start_date),
        "last_date": write_date(item.end_date),
        "exceptions": ";".join(write_date(on) for on in sorted(item.exceptions)),
        "extra_dates": ";".join(write_date(on) for on in sorted(item.extra_dates)),
        "seasons": ";".join(season.text for season in item.seasons),
        "school": f"{item.school_time.value}:{item.school}" if item.school_time else "",
    }
