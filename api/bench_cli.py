"""``bookmobile bench``: the planner against published problems and published rounds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.bench.command import (
    FilesArgument,
    JsonOption,
    LangOption,
    SeedOption,
    Stage,
    TimeOption,
    WorkersOption,
    close,
    note,
)
from api.bench.convrp_command import convrp
from api.bench.instance import Instance, Outcome
from api.bench.library_command import growth, library
from api.bench.limits import Limits
from api.bench.measure import RoundsOutcome, measure, measure_rounds
from api.bench.published import Published, open_bench_roads, read_published
from api.bench.pvrp import read_pvrp
from api.bench.table import (
    outcome_records,
    outcome_table,
    rounds_records,
    rounds_table,
    shown,
    write_json,
)
from api.bench.top import read_top
from api.bench.vrptw import read_vrptw
from api.settings import Settings
from api.terminal import progress_bars
from data.model.errors import BookmobileError
from planner.params import SolveParams
from planner.warm_up import warm_up

GOOD_SAVING_PCT = 20
"""Where less driving than this is saved, the reasons are told."""

bench = typer.Typer(no_args_is_help=True, help="Measure against published problems and rounds.")
bench.command()(convrp)
bench.command()(library)
bench.command()(growth)


@bench.command()
def pvrp(
    files: FilesArgument,
    time_limit: TimeOption = 60.0,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
    json_file: JsonOption = None,
    lang: LangOption = None,
) -> None:
    """Periodic vehicle routing problems (Cordeau)."""
    params = SolveParams(seed=seed, time_limit_s=time_limit, workers=workers)
    _measure_files(files, read_pvrp, params, json_file, Stage.of(lang))


@bench.command()
def vrptw(
    files: FilesArgument,
    time_limit: TimeOption = 60.0,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
    json_file: JsonOption = None,
    lang: LangOption = None,
) -> None:
    """Problems with time windows (Solomon, Gehring and Homberger); total distance."""
    params = SolveParams(seed=seed, time_limit_s=time_limit, workers=workers)
    _measure_files(files, read_vrptw, params, json_file, Stage.of(lang))


@bench.command()
def top(
    files: FilesArgument,
    time_limit: TimeOption = 60.0,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
    json_file: JsonOption = None,
    lang: LangOption = None,
) -> None:
    """Team orienteering problems (Chao, Golden and Wasil); most score."""
    params = SolveParams(seed=seed, time_limit_s=time_limit, workers=workers)
    _measure_files(files, read_top, params, json_file, Stage.of(lang))


@bench.command()
def rounds(
    stops: Annotated[list[Path], typer.Argument(metavar="STOPS.csv", help="Published timetables.")],
    legs: Annotated[
        Path | None, typer.Option("--legs", help="Driven legs (CSV) to fit the estimate to.")
    ] = None,
    osm: Annotated[
        Path | None, typer.Option("--osm", help="Extract (.osm.pbf) with the real roads.")
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option("--time-limit", min=1.0, help="Seconds for each timetable, both searches."),
    ] = 60.0,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
    json_file: JsonOption = None,
    lang: LangOption = None,
) -> None:
    """Published rounds of mobile libraries (UK schema), replanned on the same travel times."""
    stage = Stage.of(lang)
    params = SolveParams(seed=seed, time_limit_s=time_limit, workers=workers)
    outcomes: list[RoundsOutcome] = []
    timetables: list[Published] = []
    num_refused = num_done = 0
    with (
        progress_bars(stage.aside, stage.words) as bars,
        open_bench_roads(legs, osm, Settings.from_environment().cache_dir, bars.fraction) as roads,
    ):
        bars.phase("phase.compile")
        warm_up()
        for file in stops:
            if bars.should_stop():
                break
            num_done += 1
            try:
                published = read_published(file)
                outcomes += measure_rounds(published, roads, params, bars)
            except BookmobileError as error:
                stage.refuse(error)
                num_refused += 1
                continue
            timetables.append(published)
            if json_file:
                write_json(json_file, rounds_records(outcomes))
    if json_file:
        write_json(json_file, rounds_records(outcomes))
    _tell_rounds(stage, timetables, outcomes)
    source = stage.words("bench.told.fitted", file=legs.name) if legs else ""
    if not legs:
        source = osm.name if osm else stage.words("bench.told.estimate")
    if outcomes:
        stage.tell("bench.told.travel", source=source)
        stage.out.print(rounds_table(outcomes, stage.words))
    close(stage, len(stops) - num_done, num_refused, [o.is_feasible for o in outcomes])


def _tell_rounds(
    stage: Stage, timetables: Sequence[Published], outcomes: Sequence[RoundsOutcome]
) -> None:
    """What stands behind the table: cycle, rows left out, days widened and split, pauses."""
    for published in timetables:
        timetable = published.timetable
        name = timetable.authority
        for error in published.left_out:
            stage.refuse(error)
        vehicles = len({r.mobile for r in timetable.rounds})
        weeks = timetable.cycle_weeks
        stage.tell("bench.told.cycle", authority=name, weeks=weeks, vehicles=vehicles)
        if timetable.num_split:
            stage.tell("bench.told.split", authority=name, count=timetable.num_split)
    for outcome in outcomes:
        name = outcome.authority
        kind = "bench.open"
        if outcome.depot:
            kind = "bench.depots"
            stage.tell("bench.told.depot", authority=name, stop=outcome.depot)
        else:
            if outcome.num_pauses:
                stage.tell("bench.told.pauses", authority=name, count=outcome.num_pauses)
            if outcome.num_widened:
                stage.tell("bench.told.widened", authority=name, count=outcome.num_widened)
            if outcome.num_unclocked:
                stage.tell("bench.told.unclocked", authority=name, count=outcome.num_unclocked)
        change_pct = outcome.change_pct
        if outcome.limits and change_pct is not None and change_pct > -GOOD_SAVING_PCT:
            _tell_why(stage, outcome, outcome.limits)
        if outcome.is_kept:
            stage.tell("bench.told.kept", authority=name, rounds=stage.words(kind))
        stage.tell_broken(name, outcome.violations)


def _tell_why(stage: Stage, outcome: RoundsOutcome, limits: Limits) -> None:
    """What keeps an authority's rounds from driving much less."""
    words = stage.words
    stage.tell(
        "bench.why",
        authority=outcome.authority,
        bound=shown(None if limits.bound_s is None else limits.bound_s / 60, words),
        published=words.number(outcome.published.seconds / 60, 1),
        fixed=words.percent(limits.fixed_ratio, 0),
        busy=words.percent(limits.busy_ratio, 0),
        proved=words.number(limits.num_proved),
        rounds=words.number(limits.num_rounds),
    )


def _measure_files(
    files: Sequence[Path],
    read: Callable[[Path], Instance],
    params: SolveParams,
    json_file: Path | None,
    stage: Stage,
) -> None:
    outcomes: list[Outcome] = []
    num_refused = num_done = 0
    with progress_bars(stage.aside, stage.words) as bars:
        bars.phase("phase.compile")
        warm_up()
        for file in files:
            if bars.should_stop():
                break
            num_done += 1
            try:
                outcome = measure(read(file), file, params, bars)
            except BookmobileError as error:
                stage.refuse(error)
                num_refused += 1
                continue
            outcomes.append(outcome)
            note(outcome, bars, stage.words)
            if json_file:
                write_json(json_file, outcome_records(outcomes))
    if json_file:
        write_json(json_file, outcome_records(outcomes))
    if outcomes:
        stage.out.print(outcome_table(outcomes, stage.words))
    for outcome in outcomes:
        stage.tell_broken(outcome.instance, outcome.violations)
    close(stage, len(files) - num_done, num_refused, [o.is_feasible for o in outcomes])
