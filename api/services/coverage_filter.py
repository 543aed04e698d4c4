"""Which settlements of a coverage are wanted, and how many people they add to a figure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from data.model.coverage import Group, Reach
from data.model.coverage_count import Cut
from data.model.coverage_lines import CoverageLine


class Among(StrEnum):
    """Which settlements of a class a figure counts."""

    ALL = "all"
    COVERED_BEFORE = "covered_before"
    COVERED_AFTER = "covered_after"
    GAINED = "gained"
    CHANGED = "changed"
    """Brought into reach, or taken out of it: what an increase is the balance of."""
    LEFT = "left"
    UNTOLD = "untold"
    """Those that do not tell the people of a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFilter:
    """Which settlements are wanted."""

    text: str = ""
    cut: Cut | None = None
    key: str = ""
    among: Among = Among.ALL
    before: Reach | None = None
    after: Reach | None = None
    group: Group = Group.RESIDENTS
    """Whose people a figure counts."""

    def apply(self, lines: Iterable[CoverageLine]) -> tuple[CoverageLine, ...]:
        """Inhabited settlements that match, those with most people first."""
        found = [line for line in lines if line.is_inhabited and self._matches(line)]
        found.sort(key=lambda line: (-(self.people(line) or 0), line.settlement.name))
        return tuple(found)

    def people(self, line: CoverageLine) -> int | None:
        """People of the group in a settlement; ``None`` where not known."""
        people: int | None = getattr(line.settlement, self.group.value)
        return people

    def adds(self, line: CoverageLine) -> int:
        """What a settlement adds to the figure: below zero where it lost what it had."""
        people = self.people(line) or 0
        return -people if self.among is Among.CHANGED and line.is_lost else people

    def _matches(self, line: CoverageLine) -> bool:
        wanted = self.text.strip().casefold().replace("ё", "е")
        names = f"{line.settlement.name} {line.settlement.name_latin}"
        return (
            wanted in names.casefold().replace("ё", "е")
            and (self.cut is None or line.keys[self.cut] == self.key)
            and (self.before is None or line.before is self.before)
            and (self.after is None or line.after is self.after)
            and self._is_among(line)
        )

    def _is_among(self, line: CoverageLine) -> bool:
        match self.among:
            case Among.COVERED_BEFORE:
                return line.before is not Reach.NONE
            case Among.COVERED_AFTER:
                return line.is_covered
            case Among.GAINED:
                return line.is_gained
            case Among.CHANGED:
                return line.is_gained or line.is_lost
            case Among.LEFT:
                return not line.is_covered
            case Among.UNTOLD:
                return self.people(line) is None
        return True
