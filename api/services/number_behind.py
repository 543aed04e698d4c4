"""Takes a number of a report apart, down to the lines of the diary, the runs, the items."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from sqlmodel import Session

from api.services.number_atoms import atom, named, readers_behind
from api.services.number_books import NumberBooks
from api.services.report_frame import form_named, measure_named
from data.model.errors import NotFoundError
from data.model.measures import lines_of, value_of
from data.model.number_behind import Amount, Formula, NumberBehind
from data.model.region import Region
from data.model.report import CellKind, Drill, Named, Said, check_report_span
from data.model.stat_form import StatForm

MOST_DEPTH = 4
CALLS = ("share", "per", "growth", "sum")


def number_behind(
    session: Session, region: Region, drill: Drill, forms: tuple[StatForm, ...]
) -> NumberBehind:
    """Exactly what a number of a report sums, or the formula that it comes from.

    Raises
    ------
    InputError
        As ``check_report_span``.
    NotFoundError
        ``reports.no_measure``, ``forms.unknown``.
    """
    check_report_span(drill.from_date, drill.until_date)
    if drill.against is not None:
        check_report_span(*drill.against)
    return _behind(NumberBooks(session=session, region=region, forms=forms), drill, 0)


def _behind(books: NumberBooks, drill: Drill, depth: int) -> NumberBehind:
    call = called(drill.measure)
    if call is not None and depth < MOST_DEPTH:
        return _of_call(books, drill, *call, depth)
    found = atom(books, drill)
    return found if found is not None else _counted(books, drill, depth)


def called(measure: str) -> tuple[str, tuple[str, ...]] | None:
    """A formula and what stands in it; ``None`` for the name of a measure."""
    name, bracket, rest = measure.partition("(")
    if name not in CALLS or not bracket or not rest.endswith(")"):
        return None
    parts, depth, begin = [], 0, 0
    inside = rest[:-1]
    for at, letter in enumerate(inside):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append(inside[begin:at])
            begin = at + 1
    return name, (*parts, inside[begin:])


def _of_call(
    books: NumberBooks, drill: Drill, name: str, given: tuple[str, ...], depth: int
) -> NumberBehind:
    wanted = (1, 2) if name == "growth" else (2,)
    if len(given) not in wanted:
        raise NotFoundError("reports.no_measure", value=drill.measure[:80])
    drills = [replace(drill, measure=measure, against=None) for measure in given]
    if len(drills) == 1:
        if drill.against is None:
            raise NotFoundError("reports.no_measure", value=drill.measure[:80])
        first, last = drill.against
        drills.append(replace(drills[0], from_date=first, until_date=last))
    parts = tuple(_behind(books, one, depth + 1) for one in drills)
    return _told(drill, name, parts)


def _told(drill: Drill, name: str, parts: tuple[NumberBehind, ...]) -> NumberBehind:
    over, under = parts
    is_money = over.kind is CellKind.MONEY
    kinds = {"share": CellKind.RATIO, "growth": CellKind.RATIO, "sum": over.kind,
             "per": CellKind.MONEY if is_money else CellKind.NUMBER}  # fmt: skip
    ways: dict[str, tuple[Formula, Callable[[Amount, Amount], Amount]]] = {
        "share": (Formula.RATIO, divided),
        "per": (Formula.RATIO, divided),
        "growth": (Formula.GROWTH, _growth),
        "sum": (Formula.SUM, _sum),
    }
    formula, way = ways[name]
    title = Said(code=f"reports.formula.{name}", facts={"over": over.name, "under": under.name})
    return NumberBehind(
        drill=drill,
        name=title,
        kind=kinds[name],
        value=way(over.value, under.value),
        formula=formula,
        parts=parts,
    )


def divided(over: Amount, under: Amount) -> Amount:
    """A ratio; ``None`` where nothing, or something unknown, divides."""
    if over is None or under is None or under <= 0:
        return None
    if isinstance(over, Decimal) or isinstance(under, Decimal):
        return Decimal(str(over)) / Decimal(str(under))
    return over / under


def _growth(now: Amount, before: Amount) -> Amount:
    ratio = divided(now, before)
    return None if ratio is None else float(ratio) - 1


def _sum(first: Amount, second: Amount) -> Amount:
    if first is None or second is None:
        return None
    return float(first) + float(second)


def _counted(books: NumberBooks, drill: Drill, depth: int) -> NumberBehind:
    """A sum over stop visits, or a ratio of a form."""
    measure = measure_named(books.forms, drill.measure)
    form_id, _, key = drill.measure.rpartition(":")
    figure = form_named(books.forms, form_id).figure(key) if form_id else None
    name = named(drill) if figure is None else Named(names=figure.names)
    if figure is not None and figure.is_users and books.readers(drill).is_whole:
        return readers_behind(books, drill, name, figure.band)
    if measure is not None:
        records = books.records(drill)
        return NumberBehind(
            drill=drill,
            name=name,
            measure=measure,
            value=value_of(measure, records),
            lines=lines_of(measure, records),
        )
    assert figure is not None  # what is no measure is a ratio of the form
    assert figure.ratio is not None
    parts = tuple(
        _behind(books, replace(drill, measure=f"{form_id}:{part}"), depth + 1)
        for part in (figure.ratio.over, figure.ratio.under)
    )
    ratio = divided(parts[0].value, parts[1].value)
    return NumberBehind(
        drill=drill,
        name=name,
        kind=CellKind.NUMBER,
        value=None if ratio is None else figure.ratio.per * float(ratio),
        formula=Formula.RATIO,
        parts=parts,
        per=figure.ratio.per,
    )
