"""Stored plans side by side, and the sets of plans that jobs found, as tables that pages show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api.services.comparing import Compared, compare_plans
from api.services.plan_documents import OpenedPlan
from api.words import Words
from data.feeds.fuels_file import load_fuels
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.costs import NO_COSTS, Costs
from data.model.errors import RequestError
from planner.access import AccessFigures

LEAST_PLANS, MOST_PLANS = 1, 8
GROUPS = ("residents", "children", "seniors")
_UNKNOWN = "—"
_KM = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure of a plan; ``difference`` to the first plan, empty where there is none to tell."""

    text: str
    difference: str = ""
    is_better: bool | None = None
    """Whether the difference is for the better; ``None`` where nobody can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A figure of every plan."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Plans side by side: lines of figures and what they rest on."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    rows: tuple[Compared, ...]


def compared(opened: Sequence[OpenedPlan], costs: Costs = NO_COSTS) -> tuple[Compared, ...]:
    """The figures of each plan, in the order given.

    Raises
    ------
    RequestError
        ``scenarios.how_many``, ``scenarios.other_region``.
    """
    if not LEAST_PLANS <= len(opened) <= MOST_PLANS:
        raise RequestError("scenarios.how_many", found=len(opened), limit=MOST_PLANS)
    if len({o.stored.region_id for o in opened}) > 1:
        raise RequestError("scenarios.other_region")
    plans = [(o.stored.name, o.request, o.plan) for o in opened]
    return compare_plans(plans, costs, fuels=load_fuels())


def comparison(words: Words, rows: tuple[Compared, ...]) -> Comparison:
    """Compared plans in words."""
    return Comparison(lines=tuple(_lines(words, rows)), notes=tuple(_notes(words, rows)), rows=rows)


_More, _Less, _Either = True, False, None


def _lines(words: Words, rows: Sequence[Compared]) -> list[Line]:
    table = _Table(words, rows)
    add = table.add
    add("compare.weeks", lambda r: r.weeks)
    add("compare.people", lambda r: r.summary.people_reached, is_more_better=_More)
    for kind in GROUPS:
        if any(kind in row.groups for row in rows):
            served: _Figure = lambda r, kind=kind: (  # type: ignore[misc] # noqa: E731
                r.groups[kind].served if kind in r.groups else None
            )
            add(f"compare.{kind}", served, is_more_better=_More)
    add("compare.stops", lambda r: r.summary.stops_served, is_more_better=_More)
    add("compare.visits", lambda r: r.summary.visits)
    add("compare.km", lambda r: r.summary.drive_m / _KM, is_more_better=_Less)
    add("compare.driving", lambda r: r.summary.drive_s / HOUR_S, digits=1, is_more_better=_Less)
    add("compare.open", lambda r: r.summary.open_s / HOUR_S, digits=1, is_more_better=_More)
    add("compare.work", lambda r: r.summary.work_s / HOUR_S, digits=1)
    add("compare.days", lambda r: r.summary.vehicle_days_used)
    if any(row.summary.nights_away for row in rows):
        add("compare.nights", lambda r: r.summary.nights_away)
    if any(row.summary.specialist_days for row in rows):
        add("compare.specialist_days", lambda r: r.summary.specialist_days)
    add("scenarios.balance", _spread_h, digits=1, is_more_better=_Less)
    currencies = {row.currency for row in rows if row.cost is not None}
    if len(currencies) == 1:
        currency = currencies.pop()
        add("compare.cost", lambda r: _float(r.cost), 2, is_more_better=_Less, currency=currency)
        per = "compare.per_resident"
        add(per, lambda r: _float(r.cost_per_resident), 2, is_more_better=_Less, currency=currency)
    if any(row.co2_kg is not None for row in rows):
        add("compare.co2", lambda r: _float(r.co2_kg), digits=1, is_more_better=_Less)
    if any(row.access for row in rows):
        _add_fairness(table)
    add("compare.changes", lambda r: r.num_changes, is_more_better=_Less)
    add("compare.violations", lambda r: r.num_violations, is_more_better=_Less)
    return table.lines


def _add_fairness(table: "_Table") -> None:
    def figure(name: str, unit: float = MINUTE_S) -> "_Figure":
        def of(row: Compared) -> float | None:
            value = None if row.access is None else getattr(row.access, name)
            return None if value is None else value / unit

        return of

    for code, name in (("mean", "mean_s"), ("p90", "p90_s"), ("tenth", "worst_tenth_s")):
        table.add(f"compare.{code}", figure(name), digits=1, is_more_better=_Less)
    table.add("compare.gini", figure("gini", 1), digits=3)
    table.tell("compare.worst", lambda r: _worst(table.words, r.access))


type _Figure = Callable[[Compared], float | int | None]


class _Table:
    """Lines of figures with their differences to the first plan."""

    def __init__(self, words: Words, rows: Sequence[Compared]) -> None:
        self.words, self._rows = words, rows
        self.lines: list[Line] = []

    def add(
        self,
        code: str,
        figure: _Figure,
        digits: int = 0,
        *,
        is_more_better: bool | None = _Either,
        **facts: object,
    ) -> None:
        values = [figure(row) for row in self._rows]
        cells = [
            self._cell(value, values[0] if place else None, digits, is_more_better=is_more_better)
            for place, value in enumerate(values)
        ]
        self.lines.append(Line(label=self.words(code, **facts), cells=tuple(cells)))

    def tell(self, code: str, text: Callable[[Compared], str]) -> None:
        cells = tuple(Cell(text=text(row)) for row in self._rows)
        self.lines.append(Line(label=self.words(code), cells=cells))

    def _cell(
        self,
        value: float | None,
        first: float | None,
        digits: int,
        *,
        is_more_better: bool | None,
    ) -> Cell:
        if value is None:
            return Cell(text=_UNKNOWN)
        text = self.words.number(value, digits)
        change = 0.0 if first is None else round(value - first, digits)
        if not change:
            return Cell(text=text)
        sign = "+" if change > 0 else "\N{MINUS SIGN}"
        return Cell(
            text=text,
            difference=sign + self.words.number(abs(change), digits),
            is_better=None if is_more_better is None else (change > 0) == is_more_better,
        )


def _spread_h(row: Compared) -> float:
    """How much longer the longest run's work is than the shortest's, hours."""
    return (row.summary.work_max_s - row.summary.work_min_s) / HOUR_S


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _worst(words: Words, access: AccessFigures | None) -> str:
    if access is None or access.worst_id is None:
        return _UNKNOWN
    if access.worst_s is None:
        return words("compare.no_way", name=access.worst_name)
    shown = words.number(access.worst_s / MINUTE_S, 1)
    return words("compare.worst_at", name=access.worst_name, min=shown)


def _notes(words: Words, rows: Sequence[Compared]) -> list[str]:
    """What the figures rest on and what is wrong with them."""
    notes = []
    if any(row.access for row in rows):
        notes.append(words("compare.access_told"))
    for fuel in {f.kind: f for row in rows for f in row.fuels}.values():
        told: Mapping[str, Any] = {
            "fuel": words(f"fuel.{fuel.kind}"),
            "unit": words(f"fuel_unit.{fuel.unit}"),
            "grams": words.number(fuel.co2_g or 0),
            "source": fuel.source,
            "mark": fuel.mark,
        }
        notes.append(words("compare.fuel", **told))
    lacking = sorted({name for row in rows for name in row.without_fuel})
    if lacking:
        notes.append(words("scenarios.no_fuel", vehicles=", ".join(lacking)))
    if not any(row.cost is not None for row in rows):
        notes.append(words("scenarios.no_costs"))
    if len({row.currency for row in rows if row.cost is not None}) > 1:
        notes.append(words("scenarios.currencies"))
    if len({row.weeks for row in rows}) > 1:
        notes.append(words("compare.other_cycle"))
    if any(row.num_violations for row in rows):
        notes.append(words("scenarios.draft"))
    return notes


def price_of(text: str, field: str) -> Decimal | None:
    """A price as it was written, comma or point; ``None`` where nothing was.

    Raises
    ------
    RequestError
        ``scenarios.bad_price``.
    """
    if not text.strip():
        return None
    try:
        price = Decimal(text.strip().replace(",", ".").replace("\N{NO-BREAK SPACE}", ""))
    except ArithmeticError as wrong:
        raise RequestError("scenarios.bad_price", field=field, text=text[:40]) from wrong
    if not price.is_finite() or not 0 <= price < 10**9:
        raise RequestError("scenarios.bad_price", field=field, text=text[:40])
    return price
