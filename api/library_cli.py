"""``bookmobile library-system``: try, tell and export to the library's own system."""

import tomllib
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import JsonOption, LangOption, print_json, words_for
from api.services.folders import not_written
from api.services.library_files import irbis_records
from api.services.library_queue import open_queue, read_operations
from api.services.library_system import AnySystem, facts_of, let_go
from api.words import Words
from data.feeds.evergreen_offline import pending_xacts
from data.feeds.irbis_iso import iso_file
from data.feeds.irbis_record import IrbisRecord, text_file
from data.feeds.koha_koc import koc_file
from data.model.errors import InputError
from data.model.library_ops import ExchangeFile, LeftOut, LibraryOperation
from fleet.library.delivery import Delivery
from fleet.library.irbis_ledger import IrbisRules, enter_files
from fleet.library.outbox import Outbox, Posting, Ruling, Standing, add, ruled
from fleet.library.outbox_json import posting_to_json
from fleet.library.settings import system_of

library_system = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Try, tell and export to the library's own system (SIP2, IRBIS64, Koha, Evergreen).",
)
ZONE = "Europe/Kaliningrad"

SettingsArgument = Annotated[
    Path, typer.Option("--settings", help="TOML file: which system, where, which password file.")
]
OperationsArgument = Annotated[
    Path, typer.Argument(metavar="OPERATIONS", help="What happened, one JSON object a line.")
]
QueueOption = Annotated[
    Path, typer.Option("--queue", help="File that keeps what is not yet settled.")
]
ZoneOption = Annotated[str, typer.Option("--time-zone", help="The region's time zone.")]


class Form(StrEnum):
    """Forms of files."""

    KOC = "koc"
    EVERGREEN = "evergreen"
    IRBIS_TEXT = "irbis-text"
    IRBIS_ISO = "irbis-iso"


@library_system.command()
def check(
    settings: SettingsArgument,
    card: Annotated[str, typer.Option("--card", help="Look this reader up.")] = "",
    item: Annotated[str, typer.Option("--item", help="Look this item up.")] = "",
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Connect, sign in, and tell what the system can do; nothing is changed there."""
    words = words_for(lang)
    system = _system(settings)
    told = facts_of(system, card, item)
    if as_json:
        print_json(told)
        return
    console = Console()
    console.print(words("library.cli.reached", version=told["version"]), markup=False)
    for name in ("takes_offline", "card_found", "item_found"):
        if name in told:
            answer = "yes" if told[name] else "no"
            console.print(words(f"library.cli.{name}.{answer}"), markup=False)


@library_system.command()
def send(
    settings: SettingsArgument,
    queue: QueueOption,
    operations: Annotated[
        Path | None, typer.Argument(metavar="[OPERATIONS]", help="What is new, as JSON lines.")
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell the system what is due; keep what it could not be told, and what it refused.

    May be called as often as you like: an operation is told once. Ends with code 1 while anything
    waits for a person.
    """
    words = words_for(lang)
    system = _system(settings)
    fresh = () if operations is None else read_operations(operations)
    with open_queue(queue) as kept:
        kept.take(add(kept.outbox, fresh))
        try:
            outbox = Delivery(system, kept.keep).run(kept.outbox)
        finally:
            let_go(system)
    _show(words, outbox, as_json=as_json)
    if outbox.asking:
        raise typer.Exit(1)


@library_system.command()
def decide(
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="Id of the operation.")],
    ruling: Annotated[
        Ruling,
        typer.Argument(help="again: send anew; by_hand: entered by hand; leave: do nothing."),
    ],
    queue: QueueOption,
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Decide of an operation that the system refused."""
    words = words_for(lang)
    with open_queue(queue) as kept:
        posting = ruled(kept.outbox[operation], ruling, by="", at=datetime.now(UTC), note=note)
        kept.keep(posting)
        outbox = kept.outbox
    _show(words, outbox, as_json=as_json)


@library_system.command()
def export(
    operations: OperationsArgument,
    form: Annotated[Form, typer.Option("--format", help="koc, evergreen, irbis-text, irbis-iso.")],
    out: Annotated[Path, typer.Option("--out", help="File to write; for IRBIS a folder.")],
    readers: Annotated[
        Path | None, typer.Option("--readers", help="IRBIS: export of the readers' base (RDR).")
    ] = None,
    books: Annotated[
        Path | None, typer.Option("--books", help="IRBIS: export of the catalogue.")
    ] = None,
    encoding: Annotated[
        str, typer.Option("--encoding", help="IRBIS: utf-8, cp1251 or cp866.")
    ] = "utf-8",
    catalogue: Annotated[
        str, typer.Option("--catalogue", help="IRBIS: name of the catalogue's base.")
    ] = "IBIS",
    time_zone: ZoneOption = ZONE,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Write operations as a file that the library's system imports; tell what it cannot carry."""
    words = words_for(lang)
    told = read_operations(operations)
    if form is Form.KOC:
        made = koc_file(told, time_zone=time_zone, generator_version=version("bookmobile-planner"))
    elif form is Form.EVERGREEN:
        made = pending_xacts(told, time_zone=time_zone)
    else:
        rules = IrbisRules(catalogue=catalogue, time_zone=time_zone)
        made = _irbis_files(told, form, out, readers, books, encoding, rules)
    if form in (Form.KOC, Form.EVERGREEN):
        _write(out, made.content)
    _show_export(words, made, as_json=as_json)


def _irbis_files(
    told: tuple[LibraryOperation, ...],
    form: Form,
    out: Path,
    readers: Path | None,
    books: Path | None,
    encoding: str,
    rules: IrbisRules,
) -> ExchangeFile:
    """Write ``readers`` and ``books``, each with the records that changed."""
    if readers is None:
        raise InputError("library.readers_needed")
    entered = enter_files(
        told,
        _records(readers, encoding),
        _records(books, encoding) if books is not None else (),
        rules,
    )
    ending = "iso" if form is Form.IRBIS_ISO else "txt"

    def written(records: tuple[IrbisRecord, ...]) -> bytes:
        if form is Form.IRBIS_ISO:
            return iso_file(records, encoding=encoding)
        return text_file(records, encoding=encoding)

    for name, records in (("readers", entered.readers), ("books", entered.books)):
        _write(out / f"{name}.{ending}", written(records))
    return ExchangeFile(content=b"", carried=entered.carried, left_out=entered.left_out)


def _records(path: Path, encoding: str) -> tuple[IrbisRecord, ...]:
    try:
        raw = path.read_bytes()
    except OSError as wrong:
        raise InputError("library.no_file", file=path) from wrong
    return irbis_records(raw, path.name, encoding)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as wrong:
        raise not_written(path.parent, wrong) from wrong


def _system(path: Path) -> AnySystem:
    """The system of a settings file; its password stands in a file of its own beside it."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise InputError("library.no_file", file=path) from wrong
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise InputError("library.bad_toml", file=path.name, reason=str(wrong)[:200]) from wrong
    password = ""
    if (name := told.pop("password_file", None)) is not None:
        secret = path.parent / str(name)
        try:
            password = secret.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as wrong:
            raise InputError("library.no_file", file=secret) from wrong
    return system_of(told, password=password)


def _show(words: Words, outbox: Outbox, *, as_json: bool) -> None:
    counts = outbox.counts()
    if as_json:
        print_json(
            {
                "counts": {s.value: n for s, n in counts.items()},
                "asking": [posting_to_json(p) for p in outbox.asking],
            }
        )
        return
    console = Console()
    for standing in Standing:
        if counts[standing]:
            line = words.count(f"library.cli.{standing.value}", counts[standing])
            console.print(line, markup=False)
    for posting in outbox.asking:
        console.print(_asking(words, posting), style="red", markup=False, highlight=False)


def _asking(words: Words, posting: Posting) -> str:
    answer = posting.answer
    why = (
        ""
        if answer is None
        else answer.told or (words(answer.code, **answer.facts) if answer.code else "")
    )
    one = posting.operation
    return words(
        "library.cli.asks_line",
        operation_id=posting.operation_id,
        kind=words(f"library.kind.{one.kind.value}"),
        item_id=one.item_id or "–",
        card=one.card or "–",
        why=why,
    )


def _show_export(words: Words, made: ExchangeFile, *, as_json: bool) -> None:
    if as_json:
        left = [{"operation_id": x.operation_id, "code": x.code} for x in made.left_out]
        print_json({"carried": list(made.carried), "left_out": left})
        return
    console = Console()
    console.print(words.count("library.cli.carried", len(made.carried)), markup=False)
    for left_out in made.left_out:
        console.print(_left_out(words, left_out), style="red", markup=False, highlight=False)


def _left_out(words: Words, left_out: LeftOut) -> str:
    return words(
        "library.cli.left_out_line",
        operation_id=left_out.operation_id,
        why=words(left_out.code, **left_out.facts),
    )
