"""The command that learns from recorded days and proposes; nothing is applied by it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import JsonOption, LangOption, print_json, progress_console, words_for
from api.region_cli import MapOption, mapping_of
from api.services.folders import check_folder, made_folder, not_written
from api.show_learned import proposal_facts, show_proposal
from api.show_region import show_report
from data.feeds.learned_file import check_kind, write_learned
from data.feeds.observed_csv import import_observed
from data.feeds.plan_file import read_plan
from data.model.errors import InputError
from data.model.observed import ObservedVisit
from planner.learn.lessons import learn as learn_from
from planner.learn.propose import propose


def learn(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json")],
    records: Annotated[list[Path], typer.Argument(metavar="RECORDS.csv …")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write: learned.json or learned.toml."),
    ] = None,
    mapping: MapOption = None,
    encoding: Annotated[str | None, typer.Option(help="Like cp1251.")] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show every row.")] = False,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Learn leg times, stop times and demand from recorded days; propose, apply nothing."""
    words = words_for(lang)
    console = progress_console() if as_json else Console()
    if out is not None:
        check_kind(out)
        check_folder(out.parent)
    request, plan = read_plan(plan_file)
    visits: list[ObservedVisit] = []
    for path in records:
        found, report = import_observed(path, mapping=mapping_of(mapping), encoding=encoding)
        show_report(console, words, report)
        visits += found
    if not visits:
        raise InputError("learn.no_records", files=", ".join(p.name for p in records))
    once = tuple(dict.fromkeys(visits))
    if len(once) < len(visits):
        console.print(words.count("learn.twice", len(visits) - len(once)), markup=False)
    places = {p for matrix in request.travel.values() for p in matrix.index}
    if not any(visit.place_id in places for visit in once):
        raise InputError("learn.no_match", n=len(once), file=plan_file.name)
    lessons = learn_from(request, plan, once, files=tuple(p.name for p in records))
    proposal = propose(request, lessons)
    if out is not None:
        made_folder(out.parent)
        try:
            write_learned(out, lessons.learned)
        except OSError as wrong:
            raise not_written(out, wrong) from wrong
    if as_json:
        print_json(proposal_facts(lessons, proposal) | {"file": out})
        return
    show_proposal(console, words, request, lessons, proposal, show_all=show_all)
    if out is None:
        console.print(words("learn.not_written"), markup=False)
    else:
        console.print(words("learn.written", file=out), markup=False)
