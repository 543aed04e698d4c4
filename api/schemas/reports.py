"""Reports as the API shows them, and what is given to it of them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel as Model
from pydantic import Field

from api.schemas.fields import Text
from api.schemas.things import Body
from api.services.report_told import Teller, drill_query
from data.model.costs import FuelKind
from data.model.measures import MeasuredLine
from data.model.number_behind import (
    ItemLine,
    NumberBehind,
    NumberLine,
    ReaderLine,
    RunLine,
    SettlementLine,
    StopLine,
)
from data.model.report import Cell, Named, Report, ReportColumn, ReportKind, ReportTable, Said
from data.model.report_schedule import (
    Channel,
    DeliveryState,
    PeriodRule,
    ReportDelivery,
    ReportFormat,
    ReportSchedule,
)
from data.model.report_settings import ReportSettings, StockQuotas, Targets
from data.model.service_costs import CostPrices
from data.model.stat_form import StatForm
from data.model.stop_review import ReviewRules
from data.model.visit_record import RecordState

type Number = int | float | None


class FormPublic(Model):
    """An edition of a statistical form."""

    form_id: str
    form: str
    name: str
    source: str
    mark: str = Field(description="V read in the text, S secondary, U unverified, D ours.")
    valid_from: date | None
    valid_to: date | None = Field(description="Exclusive.")
    figures: list[str]

    @classmethod
    def from_domain(cls, form: StatForm, language: str) -> "FormPublic":
        """As the API shows it."""
        return cls(
            form_id=form.form_id,
            form=form.form,
            name=form.name_in(language),
            source=Named(names=form.source).name_in(language),
            mark=form.mark,
            valid_from=form.valid_from,
            valid_to=form.valid_to,
            figures=[f.key for f in form.figures],
        )


class CellPublic(Model):
    """A value; `text` is it in the caller's language, `lines` asks for what it sums."""

    value: Number | str = None
    text: str
    is_estimate: bool = False
    lines: dict[str, str] | None = Field(
        default=None, description="Parameters of `…/reports/lines`; null: nothing to open."
    )
    setting: str | None = Field(
        default=None, description="Field of the report settings in which somebody gave the value."
    )

    @classmethod
    def from_domain(cls, cell: Cell, column: ReportColumn, teller: Teller) -> "CellPublic":
        """As the API shows it."""
        value = cell.value
        told: Number | str
        if isinstance(value, Said | Named):
            told = teller.value(value, column.kind)
        elif isinstance(value, Decimal):
            told = float(round(value, 2))
        elif isinstance(value, date):
            told = value.isoformat()
        else:
            told = value
        return cls(
            value=told,
            text=teller.cell(cell, column),
            is_estimate=cell.is_estimate,
            lines=dict(drill_query(cell.drill)) or None,
            setting=cell.setting or None,
        )


class ColumnPublic(Model):
    code: str
    title: str
    kind: str = Field(description="text, count, number, ratio (of 1), money or date.")


class TablePublic(Model):
    code: str
    title: str
    columns: list[ColumnPublic]
    rows: list[list[CellPublic]]
    has_total: bool

    @classmethod
    def from_domain(cls, table: ReportTable, teller: Teller) -> "TablePublic":
        """As the API shows it."""
        return cls(
            code=table.code,
            title=teller.title(table),
            columns=[
                ColumnPublic(code=c.code, title=teller.head(c), kind=c.kind.value)
                for c in table.columns
            ],
            rows=[
                [
                    CellPublic.from_domain(cell, column, teller)
                    for cell, column in zip(row, table.columns, strict=True)
                ]
                for row in table.rows
            ],
            has_total=table.has_total,
        )


class ReportPublic(Model):
    """A report in the caller's language."""

    kind: ReportKind
    title: str
    from_date: date
    until_date: date
    vehicle_id: str | None
    form: str | None = Field(description="Name of the edition.")
    num_simulated: int = Field(description="Stop visits of the span that were never driven.")
    tables: list[TablePublic]
    notes: list[str]

    @classmethod
    def from_domain(cls, report: Report, teller: Teller) -> "ReportPublic":
        """As the API shows it."""
        asked = report.asked
        return cls(
            kind=asked.kind,
            title=teller.report_title(report),
            from_date=asked.from_date,
            until_date=asked.until_date,
            vehicle_id=asked.vehicle_id,
            form=report.form.name_in(teller.words.language) if report.form else None,
            num_simulated=report.num_simulated,
            tables=[TablePublic.from_domain(t, teller) for t in report.tables],
            notes=[teller.said(n) for n in report.notes],
        )


class LinePublic(Model):
    """A line behind a number: a stop visit, run, item, settlement, stop or reader.

    What a line of its kind does not have is null.
    """

    kind: str = Field(description="visit, run, item, settlement, stop or reader.")
    key: str = Field(description="Of the stop visit, item, settlement, stop, reader or run.")
    name: str
    amount: Number = Field(
        description="What it adds; 0 where its run or place was counted before; null: not known."
    )
    is_estimate: bool = False
    service_date: date | None = None
    vehicle_id: str | None = None
    stop_id: str | None = None
    state: RecordState | None = None
    is_gps_confirmed: bool | None = None
    counted_by: list[str] | None = None
    count_methods: list[str] | None = None
    num_corrections: int | None = None
    is_simulated: bool | None = None
    km: float | None = None
    hours: float | None = None
    place: str | None = None
    verdict: str | None = None

    @classmethod
    def from_domain(cls, line: NumberLine) -> "LinePublic":
        """As the API shows it."""
        match line:
            case MeasuredLine():
                return cls._of_visit(line, kind="visit", key=line.record.key)
            case ReaderLine():
                return cls._of_visit(line.line, kind="reader", key=line.reader)
            case RunLine():
                use = line.cost.use
                return cls(
                    kind="run",
                    key=f"{use.service_date.isoformat()} {use.vehicle_id}",
                    name=use.vehicle_id,
                    amount=None if line.amount is None else float(line.amount),
                    is_estimate=line.is_estimate,
                    service_date=use.service_date,
                    vehicle_id=use.vehicle_id,
                    km=use.km,
                    hours=use.hours,
                )
            case ItemLine(item=i):
                where = f"{i.place.kind.value}:{i.place.key}"
                return cls(kind="item", key=i.item_id, name=i.name, amount=line.amount, place=where)
            case SettlementLine():
                key = line.settlement_id
                return cls(kind="settlement", key=key, name=line.name, amount=line.amount)
            case StopLine():
                return cls(
                    kind="stop",
                    key=line.stop.stop_id,
                    name=line.stop.name,
                    amount=line.amount,
                    stop_id=line.stop.stop_id,
                    verdict=line.verdict.rule,
                )

    @classmethod
    def _of_visit(cls, line: MeasuredLine, *, kind: str, key: str) -> "LinePublic":
        r, amount = line.record, line.amount
        return cls(
            kind=kind,
            key=key,
            name=r.name,
            amount=amount if isinstance(amount, int) else float(amount),
            service_date=r.service_date,
            vehicle_id=r.vehicle_id,
            stop_id=r.stop_id,
            state=r.state,
            is_gps_confirmed=r.is_gps_confirmed,
            counted_by=list(r.counted_by),
            count_methods=[m.value for m in r.count_methods],
            num_corrections=r.num_corrections,
            is_simulated=r.is_simulated,
        )


class NumberPublic(Model):
    """A number taken apart: its lines, or the `parts` of its `formula`."""

    measure: str
    value: Number
    formula: str = Field(
        description="lines and sum add, ratio and growth divide, trend fits a line; year_part "
        "takes some days of a year's number; given was typed in."
    )
    per: float = Field(description="What a ratio is multiplied by.")
    lines_of: dict[str, str] = Field(description="Parameters of `…/reports/lines` of this number.")
    num_lines: int
    parts: list["NumberPublic"]
    items: list[LinePublic]
    next: int | None = Field(description="`offset` of the next page; null: the last.")

    @classmethod
    def from_domain(cls, found: NumberBehind, offset: int, limit: int) -> "NumberPublic":
        """One page of the lines."""
        end = offset + limit
        return cls(
            measure=found.drill.measure,
            value=float(found.value) if isinstance(found.value, Decimal) else found.value,
            formula=found.formula.value,
            per=found.per,
            lines_of=dict(drill_query(found.drill)),
            num_lines=len(found.lines),
            parts=[cls.from_domain(p, 0, 0) for p in found.parts],
            items=[LinePublic.from_domain(x) for x in found.lines[offset:end]],
            next=end if limit and end < len(found.lines) else None,
        )


_Ratio = Field(default=None, ge=-1, le=10, allow_inf_nan=False)
_Share = Field(default=None, ge=0, le=1, allow_inf_nan=False)
_Count = Field(default=None, ge=0, le=1_000_000_000)
_Price = Field(default=None, ge=0, le=10_000_000, max_digits=20)


class TargetsBody(Body):
    """Goals; null is not followed."""

    visits: float | None = _Ratio
    coverage: float | None = _Share
    satisfaction: float | None = _Share
    vehicles: int | None = Field(default=None, ge=0, le=10_000)
    base_year: int | None = Field(default=None, ge=1990, le=2200)
    base_visits: int | None = _Count
    library_users: int | None = _Count
    source: Text = ""


class ReviewBody(Body):
    """Rules of the stop review."""

    min_visitors: float = Field(default=3.0, ge=0, le=1000, allow_inf_nan=False)
    grace_months: int = Field(default=9, ge=0, le=60)
    grace_most_months: int = Field(default=12, ge=0, le=60)
    least_held: int = Field(default=4, ge=2, le=1000)
    merge_m: int = Field(default=1000, ge=0, le=50_000)
    home_people: int = Field(default=30, ge=0, le=100_000)
    home_senior_percent: float = Field(default=60.0, ge=0, le=100, allow_inf_nan=False)
    point_loans: float = Field(default=5.0, ge=0, le=10_000, allow_inf_nan=False)


class QuotasBody(Body):
    """Parts of the stock that are to be there."""

    children: float = Field(default=0.30, ge=0, le=1, allow_inf_nan=False)
    accessible: float = Field(default=0.03, ge=0, le=1, allow_inf_nan=False)
    new: float = Field(default=0.05, ge=0, le=1, allow_inf_nan=False)
    new_months: int = Field(default=12, ge=1, le=120)
    renewal: float = Field(default=0.10, ge=0, le=1, allow_inf_nan=False)


class PricesBody(Body):
    """Prices in one currency; null is not known."""

    currency: str = Field(default="RUB", pattern=r"^[A-Z]{3}$")
    fuel: dict[FuelKind, Decimal] = Field(default_factory=dict, max_length=5)
    crew_hour: Decimal | None = _Price
    vehicle_km: Decimal | None = _Price
    vehicle_day: Decimal | None = _Price
    sources: dict[Text, Text] = Field(default_factory=dict, max_length=20)


class ReportSettingsBody(Body):
    """What a region says for its reports."""

    targets: TargetsBody = Field(default_factory=TargetsBody)
    review: ReviewBody = Field(default_factory=ReviewBody)
    quotas: QuotasBody = Field(default_factory=QuotasBody)
    prices: PricesBody = Field(default_factory=PricesBody)

    def to_domain(self) -> ReportSettings:
        """As the core takes it."""
        return ReportSettings(
            targets=Targets(**self.targets.model_dump()),
            review=ReviewRules(**self.review.model_dump()),
            quotas=StockQuotas(**self.quotas.model_dump()),
            prices=CostPrices(**self.prices.model_dump()),
        )


class ReportSettingsPublic(ReportSettingsBody):
    """What a region says, with the revision that a change must name."""

    revision: int

    @classmethod
    def from_domain(cls, found: ReportSettings) -> "ReportSettingsPublic":
        """As the API shows it."""

        def own(body: type[Body], part: Any) -> Any:
            return body(**{name: getattr(part, name) for name in body.model_fields})

        return cls(
            revision=found.revision,
            targets=own(TargetsBody, found.targets),
            review=own(ReviewBody, found.review),
            quotas=own(QuotasBody, found.quotas),
            prices=own(PricesBody, found.prices),
        )


class ScheduleBody(Body):
    """A report that is to be sent by itself."""

    kind: ReportKind
    format: ReportFormat
    period: PeriodRule
    channel: Channel
    recipient: Text = Field(description="An e-mail address, or the name of a folder.")
    language: Literal["ru", "en"] = "ru"
    vehicle_id: Text | None = None
    form_id: Text = ""


class ScheduleChangeBody(Body):
    """Let it rest, or go on."""

    is_active: bool


class SchedulePublic(Model):
    """A standing order."""

    schedule_id: str
    kind: ReportKind
    format: ReportFormat
    period: PeriodRule
    channel: Channel
    recipient: str
    language: str
    vehicle_id: str | None
    form_id: str
    is_active: bool
    created_at: datetime
    created_by: str | None
    revision: int

    @classmethod
    def from_domain(cls, found: ReportSchedule) -> "SchedulePublic":
        """As the API shows it."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class DeliveryPublic(Model):
    """A report that was sent, is to be sent, or could not be."""

    delivery_id: str
    schedule_id: str
    from_date: date
    until_date: date
    state: DeliveryState
    tries: int
    due_at: datetime
    ended_at: datetime | None
    file: str
    num_bytes: int | None
    code: str = Field(description="Why the last try failed.")
    facts: dict[str, Any]

    @classmethod
    def from_domain(cls, found: ReportDelivery) -> "DeliveryPublic":
        """As the API shows it."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})
