"""Editions of a statistical form: which figure is which sum over stop visits on record.

An edition is data (``data.feeds.form_file`` reads it): forms change every few years, and a new
edition is a new file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from data.model.measures import Measure, Sums
from data.model.readers_served import ReaderCount
from data.model.stop_counts import Band


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeBand:
    """Full years of a band, both ends in; ``to_age`` is ``None`` where it has no upper end."""

    from_age: int
    to_age: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A figure that is one figure of the form by another, times ``per``."""

    over: str
    under: str
    per: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFigure:
    """One figure of a form: a measure, or a ratio of two others.

    ``is_users`` says that it means different persons: where readers are known by their ids these
    are told, else the measure, which adds up registrations.
    """

    key: str
    names: Mapping[str, str]
    section: str = ""
    row: str = ""
    graph: str = ""
    """As printed in the form; empty where the figure has no cell of its own there."""
    measure: Measure | None = None
    ratio: Ratio | None = None
    is_users: bool = False
    is_by_vehicle: bool = False
    """Whether the table of vehicles shows it."""
    mark: str = ""
    note: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.measure is None) == (self.ratio is None):
            raise ValueError(f"figure {self.key}: a measure or a ratio")

    def name_in(self, language: str) -> str:
        return self.names.get(language) or next(iter(self.names.values()), self.key)

    @property
    def band(self) -> Band | None:
        """The one band of age that it counts; ``None`` for all."""
        names = self.measure.names if self.measure is not None else ()
        bands = {name.partition(".")[2] for name in names}
        found = bands.pop() if len(bands) == 1 else ""
        return Band(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatForm:
    """An edition of a form, with where it is known from and how surely (marks of DOMAIN)."""

    form_id: str
    form: str
    """Name of the form, the same for all its editions (``6-НК``)."""
    names: Mapping[str, str]
    source: Mapping[str, str]
    mark: str
    figures: tuple[FormFigure, ...]
    bands: Mapping[str, AgeBand] = field(default_factory=dict)
    valid_from: date | None = None
    valid_to: date | None = None
    """Exclusive."""

    def name_in(self, language: str) -> str:
        return self.names.get(language) or next(iter(self.names.values()), self.form_id)

    def is_valid_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day < self.valid_to
        )

    def figure(self, key: str) -> FormFigure | None:
        return next((f for f in self.figures if f.key == key), None)


def form_on(forms: Sequence[StatForm], day: date) -> StatForm:
    """The edition that holds on a date: of several the newest, of none the nearest before it."""
    dated = sorted(forms, key=lambda f: (f.valid_from or date.min, f.form_id))
    holding = [f for f in dated if f.is_valid_on(day)]
    begun = [f for f in dated if (f.valid_from or date.min) <= day]
    return (holding or begun or dated[:1])[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureValue:
    """What a figure comes to; ``None`` where a ratio has nothing to divide by."""

    figure: FormFigure
    value: float | None
    is_by_registrations: bool = False
    """Persons are not known by id, so registrations were added up."""


def form_values(
    form: StatForm, sums: Sums, *, readers: ReaderCount | None = None
) -> tuple[FigureValue, ...]:
    """Each figure of a form over stop visits added up, in its order.

    Parameters
    ----------
    readers
        Different readers served; they are told where all of them are known.
    """
    values: dict[str, float | None] = {}
    for figure in form.figures:
        if figure.measure is not None:
            is_told = figure.is_users and readers is not None and readers.is_whole
            told = readers.of(figure.band) if is_told and readers is not None else None
            values[figure.key] = sums.value(figure.measure) if told is None else told
    for figure in form.figures:
        if figure.ratio is not None:
            over, under = values.get(figure.ratio.over), values.get(figure.ratio.under)
            has_both = over is not None and bool(under)
            values[figure.key] = figure.ratio.per * over / under if has_both else None  # type: ignore[operator]
    return tuple(
        FigureValue(
            figure=f,
            value=values[f.key],
            is_by_registrations=f.is_users and (readers is None or not readers.is_whole),
        )
        for f in form.figures
    )
