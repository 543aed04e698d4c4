"""The command that lets a further machine search plans."""

import signal
from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import LangOption, words_for
from api.jobs.worker import Worker
from api.jobs.worker_names import worker_name
from api.logs import set_up_logs
from api.settings import Settings
from data.db.engine import open_engine
from data.db.migrate import check_revision


def worker(
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, max=64, help="Plans searched at once here.")
    ] = 1,
    lang: LangOption = None,
) -> None:
    """Search plans for a service whose database this machine reaches. Ctrl-C ends it."""
    words = words_for(lang)
    settings = Settings.from_environment()
    set_up_logs(settings)
    engine = open_engine(settings.database_url)
    try:
        check_revision(engine)
    finally:
        engine.dispose()
    name = worker_name()
    doing = Worker(settings, name=name, slots=jobs)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: doing.leave())
    Console().print(words("serve.worker", name=name), markup=False)
    doing.run()
