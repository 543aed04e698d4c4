"""The command that makes a basemap: of an extract, or of a region."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import JsonOption, LangOption, print_json, progress_console, words_for
from api.services.regions import load_region, region_folder
from api.settings import Settings
from api.terminal import Bars, progress_bars
from api.words import Words
from data.feeds.region_folder import roads_path
from data.model.errors import InputError
from maps.basemap import (
    MadeBasemap,
    extract_basemap,
    extract_basemap_path,
    read_facts,
    region_basemap,
)

STOPPED_CODE = 130
"""Exit code of a program ended by Ctrl-C."""


def basemap(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="OpenStreetMap extract (.osm.pbf), region folder or its name."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="File to write (.pmtiles). Without it: beside you for an extract, and where the "
            "desk looks for it for a region.",
        ),
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make a basemap that needs no other server, from an extract or from what a region knows."""
    words = words_for(lang)
    console = progress_console() if as_json else Console()
    cache_dir = Settings.from_environment().cache_dir / "basemaps"
    if Path(source).is_file():
        extract = Path(source)
        target = out or Path(extract.name.removesuffix(".pbf").removesuffix(".osm") + ".pmtiles")
        made = _of_extract(console, words, extract, target)
    else:
        made = _of_region(console, words, source, out, cache_dir)
    _show(console, words, made, as_json=as_json)


def _of_extract(console: Console, words: Words, extract: Path, target: Path) -> MadeBasemap:
    if target.is_dir():
        raise InputError("feeds.file.is_folder", file=str(target))
    if target.resolve() == extract.resolve():
        raise InputError("basemap.same_file", file=str(target))
    with progress_bars(console, words, stopping="basemap.stopping") as bars:
        made = extract_basemap(
            extract, target, progress=_Phases(bars).tell, should_stop=bars.should_stop
        )
    if made is None:
        console.print(words("basemap.stopped"))
        raise typer.Exit(STOPPED_CODE)
    return made


def _of_region(
    console: Console, words: Words, source: str, out: Path | None, cache_dir: Path
) -> MadeBasemap:
    region = load_region(source)
    extract = roads_path(region, region_folder(source))
    if extract is not None:
        target = out or extract_basemap_path(extract, cache_dir)
        return _of_extract(console, words, extract, target)
    made = region_basemap(region, cache_dir, path=out)
    return MadeBasemap(
        path=made, num_features=len(region.settlements), num_broken=0, is_plain=False
    )


class _Phases:
    """Begins a bar whenever the phase changes."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._phase = ""

    def tell(self, phase: str, share: float) -> None:
        if phase != self._phase:
            self._phase = phase
            self._bars.phase(phase)
        self._bars.fraction(share)


def _show(console: Console, words: Words, made: MadeBasemap, *, as_json: bool) -> None:
    facts = read_facts(made.path)
    size_mb = made.path.stat().st_size / 1e6
    if as_json:
        print_json(
            {
                "file": made.path,
                "size_mb": round(size_mb, 3),
                "bounds": facts.bounds,
                "zooms": [facts.min_zoom, facts.max_zoom],
                "layers": facts.layers,
                "features": made.num_features,
                "left_out": made.num_broken,
            }
        )
        return
    zooms = f"{facts.min_zoom}–{facts.max_zoom}"
    told = words(
        "basemap.written", file=made.path, size_mb=words.number(size_mb, 2), zooms=zooms,
    )  # fmt: skip
    console.print(told, markup=False, soft_wrap=True)
    if made.num_broken:
        console.print(words.count("basemap.left_out", made.num_broken), markup=False)
    if made.is_plain:
        console.print(words("basemap.plain"), markup=False)
