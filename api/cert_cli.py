"""The command that makes certificates for https on a local network."""

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.certificates import make_certificates
from api.common_cli import LangOption, words_for
from api.settings import Settings


def cert(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME…",
            help="Names and addresses by which tablets open the service. Without any: this "
            "machine's name, localhost and 127.0.0.1.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Where the files go; default: certificates in data_dir."),
    ] = None,
    lang: LangOption = None,
) -> None:
    """Make an authority of your own and a certificate, so that tablets work without a network."""
    words = words_for(lang)
    target = folder or Settings.from_environment().data_dir / "certificates"
    wanted = names or [socket.gethostname(), "localhost", "127.0.0.1"]
    made = make_certificates(target, wanted, datetime.now(UTC))
    console = Console()
    told = [
        words("cert.made", names=", ".join(wanted), day=words.day(made.until_at.date())),
        f"BOOKMOBILE_TLS_CERTIFICATE={made.server}",
        f"BOOKMOBILE_TLS_KEY={made.server_key}",
        f"BOOKMOBILE_PUBLIC_URL=https://{wanted[0]}:{Settings.from_environment().port}",
        words("cert.tablets.new" if made.is_new_authority else "cert.tablets", file=made.authority),
        words("cert.secret", file=made.authority_key),
    ]
    for line in told:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
