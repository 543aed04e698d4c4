"""Terminal summaries of regions: what a folder holds, what an import took."""

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.words import Words
from data.feeds.report import ImportReport, Verdict
from data.model.crew import service_name
from data.model.place import Standing
from data.model.region import Region


def show_report(console: Console, words: Words, report: ImportReport) -> None:
    """What an import took and refused, every refused row with its place and cause."""
    taken = words(
        "show.import.taken",
        file=report.file,
        entity=words(f"entity.{report.entity}"),
        loaded=words.number(report.num_loaded),
        rows=words.number(report.num_rows),
    )
    console.print(taken, markup=False)
    if report.unused_columns:
        unused = ", ".join(report.unused_columns)
        console.print(words("show.import.unused", columns=unused), markup=False)
    for problem in report.problems:
        style = "red" if problem.verdict is Verdict.REJECTED else "yellow"
        told = words(problem.code, **problem.facts)
        mark = words(f"show.import.{problem.verdict.value}")
        console.print(f"  {mark}: {told}", style=style, markup=False)


def show_region(
    console: Console, words: Words, region: Region, *, folder: Path | None = None
) -> None:
    """What a region holds, what it assumes and what it lacks."""
    title = region.name_in(words.language)
    table = Table(title=title if folder is None else f"{title} · {folder}", show_header=False)
    table.add_column()
    table.add_column()

    def row(code: str, value: str) -> None:
        table.add_row(words(f"show.region.{code}"), value)

    people = [s.population for s in region.settlements if s.population is not None]
    undated = sum(
        1 for s in region.settlements if s.population is not None and s.population_year is None
    )
    standing = Counter(library.standing for library in region.libraries)
    row("time_zone", region.time_zone)
    row("crs", region.crs)
    row("settlements", words.number(len(region.settlements)))
    row("people", words.number(sum(people)))
    row("unknown_people", words.number(len(region.settlements) - len(people)))
    row("undated", words.number(undated))
    row("flagged", words.number(sum(1 for s in region.settlements if s.flags)))
    row("municipalities", words.number(len(region.municipalities)))
    row("known", words.number(standing[Standing.KNOWN]))
    row("assumed", words.number(standing[Standing.ASSUMED]))
    row("depots", ", ".join(d.name for d in region.depots) or "—")
    row("vehicles", ", ".join(v.name for v in region.vehicles) or "—")
    if region.specialists:
        people_aboard = (f"{s.name} ({service_name(s.service, words)})" for s in region.specialists)
        row("specialists", ", ".join(people_aboard))
    row("stops", words.number(len(region.stops)) if region.stops else words("show.region.by_need"))
    row("norm", region.norm_set_id)
    row("rules", ", ".join(region.default_rule_set_ids) or "—")
    row("roads", region.roads_file or words("show.region.estimate"))
    row("land", words.number(sum(len(r) for r in region.land)) if region.land else "—")
    console.print(table)
    for source in region.sources:
        console.print(f"{source.title} · {source.licence}", style="dim", markup=False)
    for code, is_lacking in (
        ("no_libraries", bool(region.settlements) and not region.libraries),
        ("no_depot", not region.depots),
        ("no_vehicle", not region.vehicles),
        ("register", bool(region.settlements) and not region.library_register_is_complete),
        ("no_land", not region.land and not region.roads_file),
    ):
        if is_lacking:
            console.print(words(f"show.lacks.{code}"), style="yellow")
