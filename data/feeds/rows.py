"""One row of a table, read cell by cell; what is wrong with it is kept, not raised."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from data.feeds.report import Problem, Verdict
from data.feeds.values import (
    CellError,
    is_missing,
    parse_clock_s,
    parse_count,
    parse_date,
    parse_list,
    parse_number,
    parse_weekdays,
    parse_windows,
    parse_yes_no,
    seconds_of_minutes,
    tidy_text,
)
from data.model.calendar import Window
from data.model.geo import COORDINATE_DIGITS


@dataclass(slots=True, kw_only=True)
class Row:
    """A row under our column names; every getter notes what it cannot read.

    Notes
    -----
    ``heads`` are the file's own column names by ours, so that a report speaks the file's words.
    ``digits`` rounds positions on entry; ``None`` keeps them as they stand.
    """

    file: str
    line: int
    cells: Mapping[str, str]
    heads: Mapping[str, str] = field(default_factory=dict)
    digits: int | None = COORDINATE_DIGITS
    problems: list[Problem] = field(default_factory=list)

    @property
    def causes(self) -> list[Problem]:
        """The problems for which the row is rejected."""
        return [p for p in self.problems if p.verdict is Verdict.REJECTED]

    @property
    def is_wrong(self) -> bool:
        return bool(self.causes)

    def note(self, code: str, column: str = "", /, **facts: object) -> None:
        """Keep a problem for which the row is rejected."""
        self._keep(code, column, Verdict.REJECTED, facts)

    def flag(self, code: str, column: str = "", /, **facts: object) -> None:
        """Keep a problem that a person should look at; the row is loaded."""
        self._keep(code, column, Verdict.FLAGGED, facts)

    def _keep(self, code: str, column: str, verdict: Verdict, facts: Mapping[str, object]) -> None:
        told: dict[str, object] = {"file": self.file, "row": self.line}
        if column:
            told["column"] = self.heads.get(column, column)
            told["value"] = self.cells.get(column, "")
        self.problems.append(Problem(code=code, facts={**told, **facts}, verdict=verdict))

    def has(self, column: str) -> bool:
        return not is_missing(self.cells.get(column, ""))

    def text(self, column: str) -> str:
        return tidy_text(self.cells.get(column, ""))

    def required(self, column: str) -> str:
        """A text that must be there; notes ``feeds.cell.missing`` where it is not."""
        text = self.text(column)
        if not text:
            self.note("feeds.cell.missing", column)
        return text

    def _parsed[T](self, column: str, parse: Callable[[str], T], otherwise: T) -> T:
        try:
            return parse(self.cells.get(column, ""))
        except CellError as wrong:
            self.note(wrong.code, column, **wrong.facts)
            return otherwise

    def number(
        self, column: str, *, least: float | None = None, most: float | None = None
    ) -> float | None:
        """A number within ``least`` and ``most``, both allowed."""
        number = self._parsed(column, parse_number, None)
        if number is not None and (
            (least is not None and number < least) or (most is not None and number > most)
        ):
            if least == 0 and number < 0:
                self.note("feeds.cell.negative", column)
            elif most is None:
                self.note("feeds.cell.too_small", column, least=least)
            else:
                self.note("feeds.cell.out_of_range", column, least=least, most=most)
            return None
        return number

    def count(self, column: str, *, least: int = 0) -> int | None:
        count = self._parsed(column, parse_count, None)
        if count is not None and count < least:
            self.note("feeds.cell.too_small", column, least=least)
            return None
        return count

    def seconds(self, column: str, default_s: int) -> int:
        """Seconds of a cell in minutes."""
        minutes = self.number(column, least=0)
        return default_s if minutes is None else seconds_of_minutes(minutes)

    def clock_s(self, column: str, default_s: int) -> int:
        clock_s = self._parsed(column, parse_clock_s, None)
        return default_s if clock_s is None else clock_s

    def day(self, column: str) -> date | None:
        return self._parsed(column, parse_date, None)

    def yes_no(self, column: str) -> bool | None:
        return self._parsed(column, parse_yes_no, None)

    def windows(self, column: str) -> tuple[Window, ...]:
        return self._parsed(column, parse_windows, ())

    def weekdays(self, column: str) -> frozenset[int]:
        return self._parsed(column, parse_weekdays, frozenset())

    def days(self, column: str) -> frozenset[date]:
        days = (self._parsed_part(column, part) for part in self.parts(column))
        return frozenset(day for day in days if day is not None)

    def _parsed_part(self, column: str, part: str) -> date | None:
        try:
            return parse_date(part)
        except CellError as wrong:
            self.note(wrong.code, column, value=part)
            return None

    def parts(self, column: str) -> tuple[str, ...]:
        return parse_list(self.cells.get(column, ""))

    def choice[E: StrEnum](self, column: str, kinds: type[E], default: E) -> E:
        """A word of a fixed list; letter case does not matter."""
        text = self.text(column).casefold()
        if not text:
            return default
        for kind in kinds:
            if kind.value == text:
                return kind
        self.note("feeds.cell.not_one_of", column, choices=", ".join(k.value for k in kinds))
        return default

    def position(self) -> tuple[float, float] | None:
        """Lon and lat of the columns of these names; ``None`` where both are empty or one is wrong.

        Notes ``feeds.row.half_position`` where only one is given.
        """
        before = len(self.problems)
        lon = self.number("lon", least=-180, most=180)
        lat = self.number("lat", least=-90, most=90)
        if len(self.problems) > before:
            return None
        if lon is None and lat is None:
            return None
        if lon is None or lat is None:
            self.note("feeds.row.half_position", "lon" if lon is None else "lat")
            return None
        if self.digits is not None:
            return round(lon, self.digits), round(lat, self.digits)
        return lon, lat

    def required_position(self) -> tuple[float, float] | None:
        before = len(self.problems)
        position = self.position()
        if position is None and len(self.problems) == before:
            self.note("feeds.row.no_position")
        return position


def twin_rows(
    keyed: Iterable[tuple[str, Row]],
) -> set[int]:
    """Note ``feeds.row.duplicate_id`` on every row whose id an earlier row has.

    Returns
    -------
    set[int]
        Positions in ``keyed`` of the later rows.
    """
    first: dict[str, int] = {}
    later = set()
    for index, (key, row) in enumerate(keyed):
        if key in first:
            row.note("feeds.row.duplicate_id", id=key, first_row=first[key])
            later.add(index)
        else:
            first[key] = row.line
    return later
