"""Sets of plans that a job found to choose from: tables and charts of a frontier or of fleets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from api.words import Words
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.errors import NotFoundError
from data.model.jobs import Job, JobKind, JobPlan
from maps.dots import Dot

_UNKNOWN = "—"
_KM = 1000
_MOST_CHARTS = 64
type _Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A line of a table: figures of a plan, its name in the set where it can be kept."""

    cells: tuple[str, ...]
    name: str = ""
    """Empty where there is no plan to keep."""
    plan_id: str | None = None
    """The plan that it was kept as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart of a set, by its name in an address, with what it shows."""

    name: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSection:
    """A table with its charts and what is to be said of it."""

    title: str
    columns: tuple[str, ...]
    choices: tuple[Choice, ...]
    charts: tuple[Chart, ...]
    notes: tuple[str, ...]


def sections_of(words: Words, job: Job, kept: Sequence[JobPlan]) -> tuple[ChoiceSection, ...]:
    """What an ended job found, as tables.

    Parameters
    ----------
    kept
        The job's plans, which tell whether one was kept.
    """
    plans = {plan.name: plan for plan in kept}
    if job.kind is JobKind.FRONTIER:
        return (_frontier(words, job.result, plans),)
    if job.kind is JobKind.FLEET_SIZE:
        by_base = (_bases(words, job.result, plans),) if job.result.get("bases") else ()
        return (_sizes(words, job.result, plans), *by_base)
    return ()


def _frontier(words: Words, result: _Facts, plans: Mapping[str, JobPlan]) -> ChoiceSection:
    found: list[_Facts] = result.get("plans", [])
    has_access = any(p["access"] for p in found)
    codes = ["plan", "people", "prize", "km", "work"]
    codes += ["p90", "mean", "tenth", "worst"] if has_access else []
    currency = next((p["currency"] for p in found if p["currency"]), None)
    columns = [words(f"frontier.col.{code}") for code in codes]
    if currency:
        columns.append(words("compare.cost", currency=currency))
    choices = []
    for number, plan in enumerate(found, 1):
        roles = [words(f"frontier.{r.replace('-', '_')}") for r in plan["best_in"]]
        cells = [f"{number} ({', '.join(roles)})" if roles else str(number), *_work(words, plan)]
        if has_access:
            cells += _access(words, plan["access"])
        if currency:
            cells.append(_money(words, plan["cost"]))
        choices.append(_choice(cells, str(plan["name"]), plans))
    notes = [words("frontier.told")]
    notes.append(words("compare.access_told" if has_access else "frontier.no_access"))
    if result.get("num_searches", 0) < result.get("num_planned", 0):
        facts = {"done": result["num_searches"], "planned": result["num_planned"]}
        notes.append(words("scenarios.frontier_cut_short", **facts))
    charts = [Chart(name="people-km", caption=words("frontier.caption.km"))]
    if has_access:
        charts.append(Chart(name="people-fairness", caption=words("frontier.caption.p90")))
    return ChoiceSection(
        title=words("frontier.title"),
        columns=tuple(columns),
        choices=tuple(choices),
        charts=tuple(charts) if found else (),
        notes=tuple(notes),
    )


def _sizes(words: Words, result: _Facts, plans: Mapping[str, JobPlan]) -> ChoiceSection:
    codes = ("vehicles", "bases", "people", "gain", "prize", "km", "work", "p90")
    choices, before = [], 0
    for size in result.get("sizes", []):
        number = words.number(size["num_vehicles"])
        if size["num_borrowed"]:
            number = words("fleet.borrowed", n=number, borrowed=size["num_borrowed"])
        cells = [number, ", ".join(size["bases"])]
        if size["num_violations"]:
            cells += [words("fleet.broken"), *[_UNKNOWN] * 5]
        else:
            people = int(size["people_reached"])
            work = _work(words, size)
            gain = f"+{words.number(people - before)}"
            cells += [work[0], gain, *work[1:], _p90(words, size)]
            before = people
        choices.append(_choice(cells, str(size["name"]), plans))
    notes = [words("fleet.sizes_told")]
    if result.get("is_cut_short"):
        notes.append(words("scenarios.fleet_cut_short"))
    return ChoiceSection(
        title=words("fleet.by_number"),
        columns=tuple(words(f"fleet.col.{code}") for code in codes),
        choices=tuple(choices),
        charts=(Chart(name="vehicles", caption=words("fleet.caption.number")),),
        notes=tuple(notes),
    )


def _bases(words: Words, result: _Facts, plans: Mapping[str, JobPlan]) -> ChoiceSection:
    codes = ("base", "reach", "people", "prize", "bound", "km", "work", "p90")
    choices = []
    for base in result["bases"]:
        code = "fleet.own_base" if base["is_own"] else "fleet.assumed_base"
        is_plain = not (base["is_own"] or base["is_assumed"])
        cells = [
            base["base"] if is_plain else words(code, name=base["base"]),
            words.number(base["prize_in_reach"]),
        ]
        if base.get("num_violations", 1):
            told = "beaten" if base["is_beaten"] else "broken" if "num_violations" in base else ""
            cells += [words(f"fleet.{told or 'not_run'}"), _UNKNOWN, words.number(base["bound"])]
            cells += [_UNKNOWN] * 3
        else:
            people, prize, km, hours = _work(words, base)
            cells += [people, prize, words.number(base["bound"]), km, hours, _p90(words, base)]
        choices.append(_choice(cells, str(base["name"]), plans))
    facts = {
        "chosen": len(choices),
        "candidates": result["num_base_candidates"],
        "min": words.number(result["comfortable_s"] / MINUTE_S),
    }
    has_plan = any(not base.get("num_violations", 1) for base in result["bases"])
    chart = Chart(name="bases", caption=words("fleet.caption.base"))
    return ChoiceSection(
        title=words("fleet.by_base"),
        columns=tuple(words(f"fleet.col.{code}") for code in codes),
        choices=tuple(choices),
        charts=(chart,) if has_plan else (),
        notes=(words("fleet.screen_told", **facts), words("fleet.bound_told")),
    )


def _choice(cells: Sequence[str], name: str, plans: Mapping[str, JobPlan]) -> Choice:
    plan = plans.get(name)
    if plan is None:
        return Choice(cells=tuple(cells))
    return Choice(cells=tuple(cells), name=name, plan_id=plan.plan_id)


def _work(words: Words, plan: _Facts) -> list[str]:
    """People, prize, kilometres and hours of work."""
    return [
        words.number(plan["people_reached"]),
        words.number(plan["prize_collected"]),
        words.number(plan["drive_m"] / _KM),
        words.number(plan["work_s"] / HOUR_S),
    ]


def _access(words: Words, access: _Facts | None) -> list[str]:
    if access is None:
        return [_UNKNOWN] * 4
    told = [_minutes(words, access[name]) for name in ("p90_s", "mean_s", "worst_tenth_s")]
    if access["worst_id"] is None:
        return [*told, _UNKNOWN]
    if access["worst_s"] is None:
        return [*told, words("compare.no_way", name=access["worst_name"])]
    at = {"name": access["worst_name"], "min": _minutes(words, access["worst_s"])}
    return [*told, words("compare.worst_at", **at)]


def _p90(words: Words, plan: _Facts) -> str:
    return _minutes(words, plan["access"]["p90_s"] if plan["access"] else None)


def _minutes(words: Words, seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else words.number(seconds / MINUTE_S, 1)


def _money(words: Words, amount: str | None) -> str:
    return _UNKNOWN if amount is None else words.number(float(amount), 2)


def chart_svg(words: Words, job: Job, name: str) -> str:
    """A chart of a set as SVG.

    Raises
    ------
    NotFoundError
        ``scenarios.no_chart`` for a chart that the set does not have.
    """
    dots = _DOTS[name](job.result) if name in _DOTS else ()
    if not dots:
        raise NotFoundError("scenarios.no_chart", name=name[:60])
    return _drawn(words.language, name, dots)


@lru_cache(maxsize=_MOST_CHARTS)
def _drawn(language: str, name: str, dots: tuple[Dot, ...]) -> str:
    from maps.charts import bars_svg, dots_svg

    words = Words(language)
    people = words("frontier.axis.people")
    match name:
        case "people-km":
            shade = words("frontier.axis.shade")
            return dots_svg(dots, words, x=words("frontier.axis.km"), y=people, shade=shade)
        case "people-fairness":
            return dots_svg(dots, words, x=words("frontier.axis.p90"), y=people)
        case "vehicles":
            return dots_svg(dots, words, x=words("fleet.axis.vehicles"), y=people, is_line=True)
        case _:
            return bars_svg(dots, words, x=people)


def _km_dots(result: _Facts) -> tuple[Dot, ...]:
    return tuple(
        Dot(
            name=str(number),
            link="",
            x=plan["drive_m"] / _KM,
            y=plan["people_reached"],
            shade=_p90_min(plan),
        )
        for number, plan in enumerate(result.get("plans", ()), 1)
    )


def _fair_dots(result: _Facts) -> tuple[Dot, ...]:
    return tuple(
        Dot(name=dot.name, link="", x=dot.shade, y=dot.y)
        for dot in _km_dots(result)
        if dot.shade is not None
    )


def _size_dots(result: _Facts) -> tuple[Dot, ...]:
    return tuple(
        Dot(name=str(s["people_reached"]), link="", x=s["num_vehicles"], y=s["people_reached"])
        for s in result.get("sizes", ())
        if not s["num_violations"]
    )


def _base_dots(result: _Facts) -> tuple[Dot, ...]:
    return tuple(
        Dot(name=b["base"], link="", x=b["people_reached"], y=0.0, is_marked=b["is_own"])
        for b in result.get("bases", ())
        if not b.get("num_violations", 1)
    )


def _p90_min(plan: _Facts) -> float | None:
    access = plan["access"]
    return None if not access or access["p90_s"] is None else access["p90_s"] / MINUTE_S


_DOTS = {
    "people-km": _km_dots,
    "people-fairness": _fair_dots,
    "vehicles": _size_dots,
    "bases": _base_dots,
}
