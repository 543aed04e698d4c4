"""Where the figures of a coverage lead: to the settlements that they count, on the desk.

Page, workbook and paper have the same addresses, so that a number opens the same list everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from api.services.coverage_filter import Among
from data.feeds.coverage_table import CoverageTable
from data.model.coverage import Group

ASKED = ("plan", "against", "minutes", "km", "metres", "on")
"""What an address says of the coverage itself; the rest chooses among its settlements."""
SETTLEMENTS = "#settlements"
_CUT_COLUMNS = {
    1: Among.ALL,
    2: Among.ALL,
    3: Among.COVERED_BEFORE,
    4: Among.COVERED_BEFORE,
    5: Among.COVERED_AFTER,
    6: Among.COVERED_AFTER,
    7: Among.CHANGED,
    8: Among.LEFT,
}
"""Which settlements the columns of a cut's table count; a share opens those of its part."""
_GROUP_COLUMNS = {
    1: Among.ALL,
    2: Among.COVERED_BEFORE,
    3: Among.COVERED_BEFORE,
    4: Among.COVERED_AFTER,
    5: Among.COVERED_AFTER,
    6: Among.UNTOLD,
}
"""Which settlements the people of a group live in."""
_EQUITY_COLUMNS = {2: "mean", 3: "p90", 4: "tenth", 5: "gini"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageLinks:
    """Addresses of one coverage.

    Parameters
    ----------
    root
        Address of the region's desk.
    asked
        Plan, limits and date, as the page's address names them.
    """

    root: str
    asked: Mapping[str, str]

    def address(self, part: str = "", **chosen: str) -> str:
        """A page of the same coverage: without ``part`` the first one."""
        # An empty plan is a choice of its own: left out, the timetable in force would be taken.
        kept = {n: v for n, v in self.asked.items() if n in ASKED and (v or n == "plan")}
        pairs = kept | {n: v for n, v in chosen.items() if v or n == "key"}
        path = f"{self.root}/coverage{part}"
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def settlements(self, **chosen: str) -> str:
        """The list of settlements, filtered."""
        return self.address(**chosen) + SETTLEMENTS

    def verdict(self, settlement_id: str) -> str:
        """One settlement: what was found there and what the norm asks."""
        return f"{self.root}/needs/verdict?{urlencode(self._on() | {'settlement': settlement_id})}"

    def _on(self) -> dict[str, str]:
        return {"on": self.asked["on"]} if self.asked.get("on") else {}

    def cell(self, table: CoverageTable, row: int, column: int) -> str:
        """Where a figure of a table leads; empty for what is no figure."""
        key = table.keys[row] if table.keys else ""
        if table.rows[row][column] in (None, ""):
            return ""
        if table.cut is not None:
            return self._cut(table, key, column)
        match table.name:
            case "reach" if column:
                side = "before" if column < 4 else "after"
                chosen = {"among": f"covered_{side}"} if key == "covered" else {side: key}
                return self.settlements(**chosen)
            case "groups" if column in _GROUP_COLUMNS:
                group = "" if key == Group.RESIDENTS else key
                return self.settlements(group=group, among=_GROUP_COLUMNS[column].value)
            case "equity" if column in _EQUITY_COLUMNS:
                whom, when = key.split("/")
                figure = _EQUITY_COLUMNS[column]
                found = self.address("/equity", whom=whom, when=when, figure=figure)
                return f"{found}#p90" if figure == "p90" else found
            case "norm" if column >= 2:
                norm, status = key.split("/")
                pairs = {"norm": norm, **self._on(), "status": status}
                return f"{self.root}/needs?{urlencode(pairs)}#need-table"
            case "settlements" if column == 14:
                return self.address("/open-minutes", settlement=key)
            case "unserved" if column == 2:
                # One link for a line: its page tells the ways beside it, too.
                return self.verdict(key)
        return ""

    def _cut(self, table: CoverageTable, key: str, column: int) -> str:
        if column not in _CUT_COLUMNS or table.cut is None:
            return ""
        return self.settlements(cut=table.cut.value, key=key, among=_CUT_COLUMNS[column].value)
