"""``bookmobile bench library`` and ``growth``: the open benchmark, and how effort grows."""

import json
import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

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
from api.bench.effort import Stopwatch
from api.bench.library import LibraryInstance, generated, read_library
from api.bench.library_validator import judge
from api.bench.measure import searched
from api.bench.table import shown, write_json
from api.progress import Ticker
from api.terminal import progress_bars
from data.model.errors import BookmobileError
from planner.improve import SearchState, optimise
from planner.params import SolveParams
from planner.warm_up import warm_up

CLOSE_RATIO = 0.95
"""A plan is near the last one with this share of its people, and of its people a driven hour."""


def solve_library(
    instance: LibraryInstance, params: SolveParams, tick: Ticker
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record and the plan of one instance; the stand-alone validator judges."""
    tick.phase("bench.phase.instance")
    problem = instance.problem()
    watch = Stopwatch()
    solution = searched(problem, params, tick)
    plan = instance.plan_of(problem, solution)
    people, driven_s, faults = judge(instance.raw, plan)
    record = {
        "instance": instance.name,
        "stops": problem.num_stops,
        "people": people,
        "people_bound": instance.people_bound(),
        "driving_s": driven_s,
        **watch.read().to_record(),
        "feasible": not faults,
        "faults": faults[:5],
    }
    return record, plan | {"people": people, "driving_s": driven_s}


def keep_better(file: Path, plan: dict[str, Any], instance: LibraryInstance) -> bool:
    """Write a valid plan unless the file holds a better one; whether it was written."""
    if file.is_file():
        people, driven_s, faults = judge(instance.raw, json.loads(file.read_text(encoding="utf-8")))
        if not faults and (-people, driven_s) <= (-plan["people"], plan["driving_s"]):
            return False
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(plan, separators=(",", ":")) + "\n", encoding="utf-8")
    return True


def library(
    files: FilesArgument,
    time_limit: TimeOption = 60.0,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
    plans: Annotated[
        Path | None, typer.Option("--plans", help="Folder of best plans; better ones replace them.")
    ] = None,
    json_file: JsonOption = None,
    lang: LangOption = None,
) -> None:
    """The open benchmark of periodic mobile-library routing (docs/benchmark-set.md)."""
    stage = Stage.of(lang)
    params = SolveParams(seed=seed, time_limit_s=time_limit, workers=workers)
    records: list[dict[str, Any]] = []
    num_refused = num_done = 0
    with progress_bars(stage.aside, stage.words) as bars:
        bars.phase("phase.compile")
        warm_up()
        for file in files:
            if bars.should_stop():
                break
            num_done += 1
            try:
                instance = read_library(file)
                record, plan = solve_library(instance, params, bars)
                if plans and record["feasible"]:
                    keep_better(plans / f"{instance.name}.plan.json", plan, instance)
            except BookmobileError as error:
                stage.refuse(error)
                num_refused += 1
                continue
            records.append(record)
            if json_file:
                write_json(json_file, records)
    if records:
        table = Table()
        table.add_column(stage.words("bench.column.instance"), no_wrap=True)
        for code in ("people", "people_bound", "drive_h", "seconds"):
            table.add_column(stage.words(f"bench.column.{code}"), justify="right")
        for r in records:
            people = stage.words.number(r["people"])
            table.add_row(
                r["instance"],
                people if r["feasible"] else stage.words("bench.infeasible"),
                stage.words.number(r["people_bound"]),
                shown(r["driving_s"] / 3600, stage.words),
                shown(r["seconds"], stage.words),
            )
        stage.out.print(table)
    for r in records:
        for fault in r["faults"]:
            stage.out.print(f"{r['instance']}: {fault}", markup=False)
    close(stage, len(files) - num_done, num_refused, [r["feasible"] for r in records])


def grow(num_stops: int, seconds: float, seed: int, workers: int) -> dict[str, Any]:
    """One size in a process of its own: time to near the last plan, and peak memory."""
    warm_up()
    instance = generated(num_stops, seed)
    seen: list[tuple[float, float, float]] = []

    def tell(state: SearchState) -> None:
        seen.append((state.elapsed_s, state.prize, state.cost))

    problem = instance.problem()
    params = SolveParams(seed=seed, time_limit_s=seconds, workers=workers)
    watch = Stopwatch()
    solution = optimise(problem, params, progress=tell)
    people, driven_s, faults = judge(instance.raw, instance.plan_of(problem, solution))
    near = next(
        (
            t
            for t, prize, cost in seen
            if prize >= CLOSE_RATIO * people and CLOSE_RATIO * cost * people <= driven_s * prize
        ),
        seconds,
    )
    return {
        "stops": num_stops,
        "visits": sum(len(r) for r in solution.routes),
        "people": people,
        "people_bound": instance.people_bound(),
        "driving_s": driven_s,
        "reference_s": seconds,
        **watch.read().to_record(),
        "near_s": round(near, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "feasible": not faults,
    }


def growth(
    sizes: Annotated[str, typer.Option("--sizes", help="Stops, comma separated.")] = (
        "100,300,1000,3000"
    ),
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=1.0, help="Seconds of each reference plan.")
    ] = 600.0,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw an SVG here.")] = None,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
    json_file: JsonOption = None,
    lang: LangOption = None,
) -> None:
    """Time until within 5 % of a long search's plan, in people and in driving a person; memory."""
    stage = Stage.of(lang)
    try:
        counts = [int(size) for size in sizes.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 2:
        raise typer.BadParameter(stage.words("bench.bad_sizes", value=sizes))
    records = []
    table = Table()
    for code in ("stops", "visits", "people", "near", "memory"):
        table.add_column(stage.words(f"bench.column.{code}"), justify="right")
    for count in counts:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            record = pool.submit(grow, count, time_limit, seed, workers).result()
        records.append(record)
        table.add_row(
            *(stage.words.number(record[c]) for c in ("stops", "visits", "people")),
            shown(record["near_s"], stage.words),
            stage.words.number(record["peak_mib"]),
        )
        if json_file:
            write_json(json_file, records)
    stage.out.print(table)
    if plot:
        _draw_growth(records, plot)
    close(stage, 0, 0, [bool(r["feasible"]) for r in records])


def _draw_growth(records: list[dict[str, Any]], file: Path) -> None:
    """Seconds to near the reference plan against stops, both axes logarithmic."""
    import altair
    import pandas

    rows = [{"stops": r["stops"], "seconds": max(0.1, r["near_s"])} for r in records]
    scale = altair.Scale(type="log")
    chart = (
        altair.Chart(pandas.DataFrame(rows))
        .mark_line(point=True)
        .encode(x=altair.X("stops:Q", scale=scale), y=altair.Y("seconds:Q", scale=scale))
    )
    chart.save(str(file))
