"""``bookmobile bench``: the planner against published problems and published rounds."""

import typer

bench = typer.Typer(no_args_is_help=True, help="Measure against published problems and rounds.")
