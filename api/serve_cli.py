"""The command that runs the whole service on this machine."""

from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import LangOption, words_for
from api.logs import set_up_logs
from api.settings import Settings
from api.supervisor import Supervisor, bind, end_on_signals, placed, prepare_database
from data.db import accounts_store
from data.db.engine import reading


def serve(
    host: Annotated[
        str | None,
        typer.Option("--host", help="Address to listen on; 0.0.0.0 is every network."),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port; 0 is any free one.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes that answer requests.")
    ] = 1,
    jobs: Annotated[
        int,
        typer.Option("--jobs", min=0, max=16, help="Plans searched at once here; 0 for none."),
    ] = 1,
    lang: LangOption = None,
) -> None:
    """Run the service: database, web pages, API, and a worker for plans. Ctrl-C ends it."""
    console, words = Console(), words_for(lang)
    settings = placed(Settings.from_environment(), host=host, port=port)
    settings.check()
    engine = prepare_database(settings)
    with reading(engine) as session:
        has_admin = accounts_store.count_admins(session) > 0
    engine.dispose()
    with bind(settings.host, settings.port) as bound:
        settings = placed(settings, host=None, port=bound.getsockname()[1])
        set_up_logs(settings)
        supervisor = Supervisor(settings=settings, bound=bound, web=workers, jobs=jobs)
        end_on_signals(supervisor)
        console.print(words("serve.address", address=settings.public_url), markup=False)
        if not has_admin:
            console.print(words("serve.no_account"), markup=False, style="yellow")
        raise typer.Exit(supervisor.run())
