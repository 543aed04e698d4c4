"""``bookmobile demo``: the whole service on a planned region, with nothing to set up."""

import threading
import webbrowser
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from api.common_cli import LangOption, words_for
from api.demo_driver import DemoDriver
from api.logs import set_up_logs
from api.plan_cli import (
    DEFAULT_TIME_LIMIT_S,
    OsmOption,
    OutOption,
    SeedOption,
    TimeOption,
    make_plan,
    today_in,
)
from api.services.demo import LOGINS, PASSWORD, is_seeded, seed
from api.services.demo_loans import lend_past
from api.services.demo_prices import put_example_prices, with_fuel
from api.services.demo_road import DemoDay, begin, record_past
from api.services.demo_stock import put_stock
from api.services.demo_year import record_years
from api.services.regions import load_region
from api.setting_variables import Environment
from api.settings import Settings
from api.state import utc_now
from api.supervisor import Supervisor, bind, end_on_signals, placed, prepare_database
from api.words import Words
from data.model.errors import InputError
from data.model.service_time import instant_of

REGION = "kaliningrad"
WEEKS = 4
BEGAN_WEEKS = 3
"""So many weeks before this one the demo's timetable began."""
VEHICLES = 2
_OPEN_S = 2.0


def demo(
    osm: OsmOption = None,
    out: OutOption = None,
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="End when the files are written.")
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open the address in a browser.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Plan anew; what an earlier demo left is removed.")
    ] = False,
    time_limit: TimeOption = DEFAULT_TIME_LIMIT_S,
    seed_number: SeedOption = 1,
    port: Annotated[int, typer.Option("--port", help="Port to serve on.")] = 8000,
    lang: LangOption = None,
) -> None:
    """Plan Kaliningrad oblast with two bookmobiles over four weeks and open the desk."""
    console, words = Console(), words_for(lang)
    folder = out or Path("out") / "demo"
    settings = _settings(folder, port)
    if fresh:
        _remove(Path(settings.database_url.removeprefix("sqlite:///")))
    engine = prepare_database(settings)
    try:
        if is_seeded(engine, REGION):
            console.print(words("demo.again", folder=folder), markup=False)
        else:
            region = load_region(REGION)
            today = today_in(region)
            began = today - timedelta(days=today.weekday(), weeks=BEGAN_WEEKS)
            result = make_plan(
                REGION,
                osm=osm,
                weeks=WEEKS,
                vehicles=VEHICLES,
                time_limit=time_limit,
                seed=seed_number,
                out=folder,
                lang=lang,
                start=began,
            )
            sheet = Words(lang or region.language)
            seed(
                engine,
                settings,
                with_fuel(region),
                result,
                name=sheet("demo.plan", weeks=WEEKS),
                from_date=began,
                extract=osm,
                at=instant_of(began, 0, ZoneInfo(region.time_zone)),
            )
            past = record_past(engine, REGION, folder, at=utc_now(), seed=seed_number)
            console.print(words.count("demo.past", past), markup=False)
            years = record_years(engine, REGION, at=utc_now(), seed=seed_number)
            if years is not None:
                console.print(words("demo.years", records=years.num_records), markup=False)
            put_stock(engine, REGION, at=utc_now(), seed=seed_number)
            loans = lend_past(engine, REGION, at=utc_now(), seed=seed_number)
            console.print(words("demo.loans", loans=loans), markup=False)
            put_example_prices(engine, REGION, at=utc_now())
            console.print(words("demo.prices"), markup=False)
        day = begin(engine, REGION, folder, at=utc_now(), seed=seed_number)
    finally:
        engine.dispose()
    if not no_serve:
        raise typer.Exit(_serve(settings, day, console, words, with_browser=not no_browser))


def _settings(folder: Path, port: int) -> Settings:
    """Settings of a demo: a database of its own, served on this machine alone."""
    settings = replace(
        Settings.from_environment(),
        environment=Environment.DEMO,
        data_dir=(folder / "service").absolute(),
        database_url="",
        host="127.0.0.1",
        port=port,
        public_url="",
    )
    settings.check()
    return settings


def _remove(database: Path) -> None:
    for left in database.parent.glob(f"{database.name}*"):
        left.unlink()


def _serve(
    settings: Settings,
    day: DemoDay | None,
    console: Console,
    words: Words,
    *,
    with_browser: bool,
) -> int:
    """Run the service until Ctrl-C, on another port where the wanted one is taken."""
    if day is not None:
        settings = replace(settings, clock_offset_s=day.offset_s)
    set_up_logs(settings)
    try:
        bound = bind(settings.host, settings.port)
    except InputError:
        bound = bind(settings.host, 0)
    with bound:
        settings = placed(settings, host=None, port=bound.getsockname()[1])
        supervisor = Supervisor(settings=settings, bound=bound)
        end_on_signals(supervisor)
        console.print(words("demo.serving", address=settings.public_url), markup=False)
        table = Table(box=None, pad_edge=False)
        for code in ("demo.role", "demo.login", "demo.password"):
            table.add_column(words(code))
        for role, login in LOGINS.items():
            table.add_row(words(f"role.{role}"), login, PASSWORD)
        console.print(table)
        if with_browser:
            opener = threading.Timer(_OPEN_S, webbrowser.open, args=(settings.public_url,))
            opener.daemon = True
            opener.start()
        if day is None:
            return supervisor.run()
        _tell_clock(console, words, settings, day)
        driver = DemoDriver(day, f"http://127.0.0.1:{settings.port}", clock=utc_now)
        driver.start()
        try:
            return supervisor.run()
        finally:
            driver.stop()


def _tell_clock(console: Console, words: Words, settings: Settings, day: DemoDay) -> None:
    """What is simulated, and what time it is in the demo."""
    if settings.clock_offset_s:
        zone = ZoneInfo(load_region(REGION).time_zone)
        there = day.now(utc_now()).astimezone(zone)
        told = words("demo.clock", day=words.day(there.date()), time=f"{there:%H:%M}")
        console.print(told, markup=False)
    console.print(words.count("demo.live", len(day.runs)), markup=False)
