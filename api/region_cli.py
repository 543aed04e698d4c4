"""The commands that make, fill and describe a region."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import LangOption, words_for
from api.services.region_files import GivenFiles, fill_region, make_region
from api.services.regions import load_region, region_folder
from api.show_region import show_region, show_report
from api.terminal import progress_bars
from data.model.errors import InputError

FolderArgument = Annotated[Path, typer.Argument(metavar="REGION", help="Region folder.")]
File = Annotated[Path | None, typer.Option()]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="Their column=our column; may be given several times."),
]


def init(
    region: FolderArgument,
    osm: Annotated[
        Path | None, typer.Option("--osm", help="OpenStreetMap extract (.osm.pbf).")
    ] = None,
    settlements: File = None,
    libraries: File = None,
    municipalities: File = None,
    depots: File = None,
    vehicles: File = None,
    specialists: File = None,
    stops: File = None,
    norms: File = None,
    land: Annotated[Path | None, typer.Option(help="Outline of the land (GeoJSON).")] = None,
    name: Annotated[str, typer.Option(help="Name of the region.")] = "",
    language: Annotated[str | None, typer.Option(help="Language of its people.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Like Europe/Kaliningrad.")] = None,
    mapping: MapOption = None,
    encoding: Annotated[str | None, typer.Option(help="Like cp1251.")] = None,
    lang: LangOption = None,
) -> None:
    """Make a region folder from an extract, from tables, or from both."""
    console, words = Console(), words_for(lang)
    given = GivenFiles(
        osm=osm,
        settlements=settlements,
        municipalities=municipalities,
        libraries=libraries,
        depots=depots,
        vehicles=vehicles,
        specialists=specialists,
        stops=stops,
        norms=norms,
        land=land,
        mapping=mapping_of(mapping),
        encoding=encoding,
    )
    with progress_bars(console, words) as bars:
        made = make_region(
            region,
            given,
            name=name,
            language=language,
            time_zone=time_zone,
            tick=bars,
            told=partial(show_report, console, words),
        )
    show_region(console, words, made)
    console.print(words("cli.written", folder=region))


def import_files(
    region: FolderArgument,
    osm: Annotated[
        Path | None, typer.Option("--osm", help="OpenStreetMap extract for the roads.")
    ] = None,
    settlements: File = None,
    libraries: File = None,
    municipalities: File = None,
    depots: File = None,
    vehicles: File = None,
    specialists: File = None,
    stops: File = None,
    norms: File = None,
    land: Annotated[Path | None, typer.Option(help="Outline of the land (GeoJSON).")] = None,
    mapping: MapOption = None,
    encoding: Annotated[str | None, typer.Option(help="Like cp1251.")] = None,
    lang: LangOption = None,
) -> None:
    """Add files to a region: known ids are replaced, others added, bad rows told one by one."""
    console, words = Console(), words_for(lang)
    given = GivenFiles(
        osm=osm,
        settlements=settlements,
        municipalities=municipalities,
        libraries=libraries,
        depots=depots,
        vehicles=vehicles,
        specialists=specialists,
        stops=stops,
        norms=norms,
        land=land,
        mapping=mapping_of(mapping),
        encoding=encoding,
    )
    with progress_bars(console, words) as bars:
        filled = fill_region(region, given, tick=bars, told=partial(show_report, console, words))
    show_region(console, words, filled)


def inspect(
    region: Annotated[str, typer.Argument(help="Region folder, or a bundled region's name.")],
    lang: LangOption = None,
) -> None:
    """Tell what a region holds, what is missing and what is assumed."""
    show_region(Console(), words_for(lang), load_region(region), folder=region_folder(region))


def mapping_of(pairs: list[str] | None) -> dict[str, str]:
    mapping = {}
    for pair in pairs or ():
        theirs, equals, ours = pair.partition("=")
        if not equals or not theirs.strip() or not ours.strip():
            raise InputError("cli.mapping_form", value=pair)
        mapping[theirs.strip()] = ours.strip()
    return mapping
