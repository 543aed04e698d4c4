"""``bookmobile site``: the public pages and feeds as plain files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import JsonOption, LangOption, print_json, words_for
from api.database import open_database
from api.services.public import read_published
from api.settings import Settings
from api.state import clock_of
from api.static_site import write_site
from data.db.engine import reading
from data.db.regions_known_store import region_names
from data.model.errors import InputError


def site(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write, made anew.")],
    region: Annotated[
        str | None, typer.Option("--region", help="Region; needed where there are several.")
    ] = None,
    base_url: Annotated[
        str, typer.Option("--base-url", help="Where the folder is put on the web.")
    ] = "",
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Write the public pages and feeds of a region as plain files, in every language."""
    words = words_for(lang)
    settings = Settings.from_environment()
    at = clock_of(settings)()
    with open_database(settings) as engine:
        with reading(engine) as session:
            known = region_names(session)
            chosen = region or (next(iter(known)) if len(known) == 1 else None)
            if chosen is None:
                raise InputError("site.which_region", known=", ".join(known) or "—")
            published = read_published(session, chosen)
        number = write_site(published, out, at=at, base_url=base_url, engine=engine)
    if as_json:
        print_json({"region": chosen, "folder": str(out), "files": number})
        return
    Console().print(words.count("site.written", number, folder=str(out)), markup=False)
