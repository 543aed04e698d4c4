"""``bookmobile gtfs``: the published timetable as a GTFS file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import LangOption, words_for
from api.database import open_database
from api.services.public import read_published
from api.services.public_gtfs import region_gtfs
from api.services.public_pages import PublicPages
from api.settings import Settings
from api.state import clock_of
from api.web.public_links import ServedLinks
from api.words import Words
from data.db.engine import reading
from data.db.regions_known_store import region_names
from data.model.errors import InputError


def gtfs(
    out: Annotated[Path, typer.Argument(metavar="OUT.zip", help="File to write.")],
    region: Annotated[
        str | None, typer.Option("--region", help="Region; needed where there are several.")
    ] = None,
    base_url: Annotated[
        str, typer.Option("--base-url", help="Address of the service; else that of the settings.")
    ] = "",
    lang: LangOption = None,
) -> None:
    """Write what a region promises from today on as a GTFS feed."""
    words, settings = words_for(lang), Settings.from_environment()
    with open_database(settings) as engine:
        with reading(engine) as session:
            known = region_names(session)
            chosen = region or (next(iter(known)) if len(known) == 1 else None)
            if chosen is None:
                raise InputError("site.which_region", known=", ".join(known) or "—")
            published = read_published(session, chosen)
        language = Words(lang or published.timetable.language).language
        pages = PublicPages(
            published=published,
            now=published.now(clock_of(settings)()),
            words=Words(language),
            links=ServedLinks(region_id=chosen, public_url=base_url or settings.public_url),
        )
        feed = region_gtfs(engine, pages)
    out.write_bytes(feed)
    Console().print(words("cli.written", folder=out), markup=False)
