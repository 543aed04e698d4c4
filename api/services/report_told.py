"""A report in words and numbers of one language: what screen, paper and files have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from api.words import Words
from data.model.measures import MeasuredLine
from data.model.number_behind import (
    Amount,
    Formula,
    ItemLine,
    NumberBehind,
    ReaderLine,
    RunLine,
    SettlementLine,
    StopLine,
)
from data.model.report import (
    Cell,
    CellKind,
    ChartKind,
    Drill,
    Named,
    Report,
    ReportColumn,
    ReportTable,
    Said,
    Value,
)

NOTHING = "—"
NUMERIC = frozenset({CellKind.COUNT, CellKind.NUMBER, CellKind.RATIO, CellKind.MONEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Tells values in one language."""

    words: Words

    def said(self, said: Said) -> str:
        """The words of a code; numbers and dates among its facts by locale."""
        facts = {name: self._fact(said.code, fact) for name, fact in said.facts.items()}
        return self.words(said.code, **facts)

    def said_of(self, code: str, facts: Mapping[str, object]) -> str:
        """The words of a code with its facts."""
        return self.said(Said(code=code, facts=facts))

    def behind(self, found: NumberBehind, currency: str) -> str:
        """A number that is taken apart, as its report tells it."""
        value = found.value
        if value is None:
            return NOTHING
        told = self.value(value, found.kind)
        if found.kind is CellKind.MONEY:
            return f"{told}\N{NO-BREAK SPACE}{self.words.currency(currency)}"
        return f"+{told}" if found.formula is Formula.GROWTH and value > 0 else told

    def amount(self, amount: Amount, found: NumberBehind) -> str:
        """What a line adds to a number."""
        if amount is None:
            return NOTHING
        if found.kind is CellKind.MONEY:
            return self.words.decimal(float(amount), 2)
        if isinstance(amount, int):
            return self.words.number(amount)
        return self.words.decimal(float(amount), 1 if found.kind is CellKind.COUNT else 2)

    def lead(self, found: NumberBehind) -> str:
        """How a number follows from its lines."""
        lines = {"lines": self.words.number(len(found.lines))}
        if found.formula is Formula.TREND:
            few = "_few" if found.value is None else ""
            return self.said_of(f"reports.lines.lead.trend{few}", found.facts)
        kind = line_kind(found)
        code = str(found.facts.get("how", "")) or (kind if kind not in ("", "visit") else "")
        if not code:
            distinct = found.measure.distinct if found.measure is not None else None
            code = distinct.value if distinct is not None else "sum"
        return self.said_of(f"reports.lines.lead.{code}", lines)

    def _fact(self, code: str, fact: object) -> object:
        if isinstance(fact, Said):
            return self.said(fact)
        if isinstance(fact, Named):
            return fact.name_in(self.words.language)
        if isinstance(fact, date):
            if code == "reports.month":
                told = self.words.day(fact, "LLLL y")
                return told[:1].upper() + told[1:]
            return self.words.day(fact)
        if fact is None:
            return NOTHING
        if isinstance(fact, bool) or not isinstance(fact, int | float | Decimal):
            return fact
        size = abs(float(fact))
        digits = 0 if isinstance(fact, int) or size >= 100 else 1 if size >= 10 else 2
        # A year is a name, not an amount: no blank among its digits.
        if isinstance(fact, int) and 1900 <= fact <= 2200 and "year" in self.words(code):
            return str(fact)
        return self.words.number(float(fact), digits)

    def value(self, value: Value, kind: CellKind) -> str:
        """A value as people read it."""
        match value:
            case None:
                return NOTHING
            case Said():
                return self.said(value)
            case Named():
                return value.name_in(self.words.language)
            case date():
                return self.words.day(value)
            case str():
                return value
        number = float(value)
        match kind:
            case CellKind.RATIO:
                return self.words.percent(number)
            case CellKind.MONEY:
                return self.words.decimal(number, 0 if abs(number) >= 1000 else 2)
            case CellKind.NUMBER:
                return self.words.decimal(number, 1 if abs(number) >= 10 else 2)
            case _:
                return self.words.number(number)

    def cell(self, cell: Cell, column: ReportColumn) -> str:
        """A cell as people read it; an estimate says so."""
        kind = cell.kind or column.kind
        told = self.value(cell.value, kind)
        if kind is CellKind.RATIO and column.code == "change" and cell.value is not None:
            told = f"+{told}" if float(cell.value) > 0 else told  # type: ignore[arg-type]
        return f"≈ {told}" if cell.is_estimate and cell.value is not None else told

    def head(self, column: ReportColumn) -> str:
        """A column's heading."""
        return self.said(Said(code=f"reports.col.{column.code}", facts=column.facts))

    def title(self, table: ReportTable) -> str:
        """A table's title."""
        return self.said(Said(code=f"reports.table.{table.code}", facts=table.facts))

    def period(self, first: date, last: date) -> str:
        """A span of dates."""
        return self.words("reports.period", first=self.words.day(first), last=self.words.day(last))

    def report_title(self, report: Report) -> str:
        """What a report is called."""
        return self.words(f"reports.kind.{report.asked.kind.value}")


def is_numeric(cell: Cell, column: ReportColumn) -> bool:
    """Whether a cell stands to the right, as numbers do."""
    return (cell.kind or column.kind) in NUMERIC and not isinstance(cell.value, str | Said | Named)


def chart_svg(table: ReportTable, teller: Teller) -> str | None:
    """A table's chart as SVG; ``None`` where it has none, or nothing to show."""
    chart, rows = table.chart, charted_rows(table)
    if chart is None or not rows:
        return None
    values = [[_number(row[k]) for row in rows] for k in chart.series]
    # Drawing takes 100 MB that only it needs.
    from maps.report_charts import bars_svg, columns_svg

    names = [teller.cell(row[0], table.columns[0]) for row in rows]
    heads = [teller.head(table.columns[k]) for k in chart.series]
    if chart.kind is ChartKind.BARS:
        return bars_svg(names, values[0], teller.words, title=heads[0])
    series: Sequence[tuple[str, Sequence[float | None]]] = list(zip(heads, values, strict=True))
    title = heads[0] if len(heads) == 1 else ""
    return columns_svg(names, series, teller.words, title=title)


def charted_rows(table: ReportTable) -> tuple[tuple[Cell, ...], ...]:
    """The rows that a table's chart shows; none where there is nothing to see."""
    chart = table.chart
    if chart is None:
        return ()
    rows = table.rows[:-1] if table.has_total else table.rows
    if chart.kind is ChartKind.BARS:
        rows = tuple(r for r in rows if _number(r[chart.series[0]]))
    rows = rows[: chart.most_rows]
    return rows if any(_number(row[k]) for row in rows for k in chart.series) else ()


def _number(cell: Cell) -> float | None:
    value = cell.value
    if isinstance(value, int | float | Decimal):
        return float(value)
    return None


def drill_query(drill: Drill | None) -> Mapping[str, str]:
    """The way to what is behind a number, as parameters of an address."""
    if drill is None:
        return {}
    told = {
        "measure": drill.measure,
        "from": drill.from_date.isoformat(),
        "until": drill.until_date.isoformat(),
        "vehicle": drill.vehicle_id or "",
        "stop": drill.stop_id or "",
        "place": drill.place,
    }
    if drill.against is not None:
        told["against_from"], told["against_until"] = (d.isoformat() for d in drill.against)
    return {name: value for name, value in told.items() if value}


def line_kind(found: NumberBehind) -> str:
    """Of what kind the lines of a number are; empty where it has none."""
    if not found.lines:
        return ""
    return _LINE_KINDS[type(found.lines[0])]


_LINE_KINDS: Mapping[type, str] = {
    MeasuredLine: "visit",
    RunLine: "run",
    ItemLine: "item",
    SettlementLine: "settlement",
    StopLine: "stop",
    ReaderLine: "reader",
}
