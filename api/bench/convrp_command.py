"""``bookmobile bench convrp``: what the same driver at the same time costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from rich.table import Table

from api.bench.command import (
    FilesArgument,
    JsonOption,
    LangOption,
    SeedOption,
    Stage,
    TimeOption,
    WorkersOption,
    close,
)
from api.bench.convrp import DEFAULT_SPREAD, ConvrpInstance, read_convrp
from api.bench.effort import Stopwatch
from api.bench.instance import Outcome, judged
from api.bench.measure import searched
from api.bench.table import ABSENT, shown, write_json
from api.progress import Ticker
from api.terminal import progress_bars
from api.words import Words
from data.model.errors import BookmobileError
from planner.params import SolveParams
from planner.warm_up import warm_up


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvrpOutcome:
    """One instance with and without its promises.

    ``alone`` is the sum of each day's distance when it is solved for itself, ``None`` if a day's
    solution breaks a rule or the search was stopped before. ``widest`` is the greatest difference
    of two arrivals at one customer, ``num_drivers`` those that leave the depot at all.
    """

    kept: Outcome
    alone: float | None
    widest: float
    num_drivers: int
    num_customers: int
    num_days: int

    @property
    def price_pct(self) -> float | None:
        """Per cent of distance that the promises cost."""
        if self.kept.cost is None or not self.alone:
            return None
        return 100 * (self.kept.cost / self.alone - 1)


def measure_convrp(instance: ConvrpInstance, params: SolveParams, tick: Ticker) -> ConvrpOutcome:
    """Solve with the promises, then each day alone; each half has the whole time limit."""
    tick.phase("bench.phase.instance")
    problem = instance.problem()
    watch = Stopwatch()
    solution = searched(problem, params, tick)
    tours = instance.tours(problem, solution)
    kept = judged(instance, tours, best=None, effort=watch.read())
    tick.phase("bench.phase.alone")
    share = replace(params, time_limit_s=params.time_limit_s / instance.num_days)
    days: list[float | None] = []
    for day in range(instance.num_days):
        single = instance.alone(day)
        if tick.should_stop() or not single.customers:
            days.append(None if tick.should_stop() else 0.0)
            continue
        stated = single.problem()
        found = single.tours(stated, searched(stated, share, tick))
        days.append(None if single.violations(found) else single.value(found))
    known = [value for value in days if value is not None]
    return ConvrpOutcome(
        kept=kept,
        alone=sum(known) if len(known) == len(days) else None,
        widest=instance.widest(tours),
        num_drivers=len({tour.vehicle for tour in tours}),
        num_customers=len(instance.customers),
        num_days=instance.num_days,
    )


def convrp_table(outcomes: Sequence[ConvrpOutcome], words: Words) -> Table:
    """Each instance with its cost alone and consistent, what that adds, drivers and spread."""
    table = Table()
    table.add_column(words("bench.column.instance"), no_wrap=True)
    for code in ("customers", "alone", "consistent", "price", "drivers", "widest"):
        table.add_column(words(f"bench.column.{code}"), justify="right")
    for o in outcomes:
        kept = shown(o.kept.cost, words) if o.kept.is_feasible else words("bench.infeasible")
        table.add_row(
            o.kept.instance,
            words.number(o.num_customers),
            shown(o.alone, words),
            kept,
            shown(o.price_pct, words),
            words.number(o.num_drivers),
            shown(o.widest, words),
        )
    prices = [o.price_pct for o in outcomes if o.price_pct is not None]
    mean = shown(sum(prices) / len(prices), words) if prices else ABSENT
    table.add_section()
    table.add_row(words.count("bench.mean", len(prices)), "", "", "", mean, "", "")
    return table


def convrp_records(outcomes: Sequence[ConvrpOutcome], spread: float) -> list[dict[str, object]]:
    """One record per instance; a cost that no checker passed is null."""
    return [
        {
            "instance": o.kept.instance,
            "customers": o.num_customers,
            "days": o.num_days,
            "spread_limit": spread,
            "alone": o.alone,
            "cost": o.kept.cost,
            "price_pct": o.price_pct,
            "drivers": o.num_drivers,
            "spread": round(o.widest, 6),
            **o.kept.effort.to_record(),
            "feasible": o.kept.is_feasible,
        }
        for o in outcomes
    ]


def convrp(
    files: FilesArgument,
    spread: Annotated[
        float,
        typer.Option("--spread", min=0.001, help="Most that arrivals at a customer may differ."),
    ] = DEFAULT_SPREAD,
    time_limit: TimeOption = 60.0,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
    json_file: JsonOption = None,
    lang: LangOption = None,
) -> None:
    """Consistent problems (Groër, Golden and Wasil): the same driver at nearly the same time."""
    stage = Stage.of(lang)
    params = SolveParams(seed=seed, time_limit_s=time_limit, workers=workers)
    outcomes: list[ConvrpOutcome] = []
    num_refused = num_done = 0
    with progress_bars(stage.aside, stage.words) as bars:
        bars.phase("phase.compile")
        warm_up()
        for file in files:
            if bars.should_stop():
                break
            num_done += 1
            try:
                outcomes.append(measure_convrp(read_convrp(file, spread), params, bars))
            except BookmobileError as error:
                stage.refuse(error)
                num_refused += 1
                continue
            if json_file:
                write_json(json_file, convrp_records(outcomes, spread))
    if json_file:
        write_json(json_file, convrp_records(outcomes, spread))
    if outcomes:
        stage.tell("bench.told.spread", spread=stage.words.number(spread, 3))
        stage.out.print(convrp_table(outcomes, stage.words))
    for outcome in outcomes:
        stage.tell_broken(outcome.kept.instance, outcome.kept.violations)
    close(stage, len(files) - num_done, num_refused, [o.kept.is_feasible for o in outcomes])
