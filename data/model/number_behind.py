"""A number of a report taken apart: the lines that it sums, or the formula that it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from data.model.measures import Measure, MeasuredLine
from data.model.report import CellKind, Drill, Named, Said
from data.model.service_costs import RunCost
from data.model.stock_figures import StockItem
from data.model.stop_review import StopFigures, StopVerdict

type Amount = int | float | Decimal | None


class Formula(StrEnum):
    """How a number follows from its lines or parts."""

    LINES = "lines"
    """The amounts of the lines, added up."""
    SUM = "sum"
    """The parts, added up."""
    RATIO = "ratio"
    """The first part by the second, times ``per``."""
    GROWTH = "growth"
    """The first part by the second, less one."""
    TREND = "trend"
    """The slope of a straight line through the lines, or an end of its interval."""
    SPREAD = "spread"
    """The standard deviation of the lines' amounts."""
    YEAR_PART = "year_part"
    """A year's number for some of its days."""
    GIVEN = "given"
    """A person gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run: what it adds; ``None`` where that is not known."""

    cost: RunCost
    amount: float | Decimal | None
    is_estimate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLine:
    """An item of the stock."""

    item: StockItem
    amount: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLine:
    """A settlement with its residents; ``None`` where their number is not known."""

    settlement_id: str
    name: str
    amount: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine:
    """A stop with its verdict, and the measure whose lines its amount opens."""

    stop: StopFigures
    verdict: StopVerdict
    measure: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLine:
    """A reader under a pseudonym, told at the first stop visit that served him or her."""

    reader: str
    line: MeasuredLine
    num_served: int
    """Stop visits of the span that did."""
    amount: int = 1


type NumberLine = MeasuredLine | RunLine | ItemLine | SettlementLine | StopLine | ReaderLine


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberBehind:
    """A number taken apart; its lines are all of one kind.

    Parameters
    ----------
    measure
        Where stop visits are summed: what of them.
    setting
        Field of the report settings in which a person gave a number that the formula uses.
    """

    drill: Drill
    name: Said | Named
    value: Amount
    kind: CellKind = CellKind.COUNT
    formula: Formula = Formula.LINES
    measure: Measure | None = None
    lines: tuple[NumberLine, ...] = ()
    parts: tuple["NumberBehind", ...] = ()
    per: float = 1.0
    facts: Mapping[str, object] = field(default_factory=dict)
    setting: str = ""
