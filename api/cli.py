"""The ``bookmobile`` command. A command's module is loaded when that command is called."""

import importlib
from collections.abc import Callable

import typer
from rich.console import Console
from typer._click.core import Command, Context
from typer._click.formatting import HelpFormatter
from typer.core import TyperGroup

from api.common_cli import terminal_words
from api.problems import show_error
from data.model.errors import BookmobileError

COMMANDS = {
    "demo": ("api.demo_cli", "demo", "Plan Kaliningrad oblast and open the desk."),
    "init": ("api.region_cli", "init", "Make a region from an extract, from tables, or both."),
    "import": ("api.region_cli", "import_files", "Add files to a region."),
    "inspect": ("api.region_cli", "inspect", "Tell what a region holds, lacks and assumes."),
    "need": ("api.plan_cli", "need", "Show which settlements lack a library."),
    "coverage": ("api.coverage_cli", "coverage", "Tell who has a library or a stop in reach."),
    "plan": ("api.plan_cli", "plan", "Plan a repeating cycle and write its folder."),
    "check": ("api.plan_cli", "check", "Judge a plan by every rule."),
    "compare": ("api.compare_cli", "compare", "Put plans side by side."),
    "frontier": ("api.choice_cli", "frontier", "Find plans that trade people, fairness and km."),
    "fleet-size": ("api.choice_cli", "fleet_size", "Compare numbers of vehicles, and bases."),
    "explain": ("api.edit_cli", "explain", "Tell why a stop is not served, what would serve it."),
    "insert": ("api.edit_cli", "insert", "List where one more stop fits into a plan."),
    "move": ("api.edit_cli", "move", "Move a stop by hand; name every rule it breaks."),
    "export": ("api.export_cli", "export", "Write a plan's folder anew, as after a move."),
    "simulate": ("api.simulate_cli", "simulate", "Drive a plan in imagination; feed trackers."),
    "track": ("api.track_cli", "track", "Hold tracks of a day against a plan."),
    "onboard": ("api.onboard_cli", "onboard", "Read gpsd on board, keep and send positions."),
    "relay": ("api.relay_cli", "relay", "Keep tablets' events on board and bring them on."),
    "learn": ("api.learn_cli", "learn", "Learn times and demand from recorded days."),
    "library-system": ("api.library_cli", "library_system", "Tell the library's own system."),
    "report": ("api.report_cli", "report", "Tell and send reports of the service's diary."),
    "account": ("api.account_cli", "account", "Add, list and close accounts of staff."),
    "basemap": ("api.basemap_cli", "basemap", "Make a map background that needs no network."),
    "cert": ("api.cert_cli", "cert", "Make certificates: https for tablets on a local network."),
    "serve": ("api.serve_cli", "serve", "Run the service: pages, API, and a worker for plans."),
    "worker": ("api.worker_cli", "worker", "Let a further machine search plans."),
    "backup": ("api.ops_cli", "backup", "Write the whole service into a file."),
    "restore": ("api.ops_cli", "restore", "Bring the service back from such a file."),
    "site": ("api.site_cli", "site", "Write the public pages and feeds as plain files."),
    "gtfs": ("api.gtfs_cli", "gtfs", "Write the published timetable as GTFS."),
    "bench": ("api.bench_cli", "bench", "Measure against published problems and rounds."),
}
"""Each command: its module, its name there, and its line of help."""


class LazyGroup(TyperGroup):
    """Commands by name, imported on call: the solver is not loaded to show a region."""

    def list_commands(self, ctx: Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        found: typer.Typer | Callable[..., None] = getattr(importlib.import_module(module), name)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name)(found)
        return typer.main.get_command(single)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, _, told) in COMMANDS.items()])


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def bookmobile() -> None:
    """Plan, check and show the rounds of mobile libraries."""


def main() -> None:
    """Run the command; a refusal is told in words and ends with code 2."""
    try:
        app()
    except BookmobileError as error:
        show_error(Console(stderr=True), terminal_words(), error)
        raise SystemExit(2) from None
