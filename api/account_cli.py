"""``bookmobile account``: the first administrator, and help for whoever is locked out."""

import secrets
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from api.common_cli import JsonOption, LangOption, print_json, words_for
from api.database import open_database
from api.services.accounts import (
    add_account,
    change_account,
    close_account,
    hash_for,
    new_account,
    reopen_account,
    set_password,
)
from api.services.signing_in import normal_login
from api.state import utc_now
from api.words import Words
from data.db import accounts_store
from data.db.engine import reading, writing
from data.model.accounts import PROGRAM, Account, Role
from data.model.errors import InputError, NotFoundError

account = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Add, list and close accounts of staff; set passwords.",
)
LIST_MAX = 10_000
GENERATED_BYTES = 15

LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN", help="Name to sign in by.")]
RoleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--role", help="admin, dispatcher, librarian, crew or analyst; several times for several."
    ),
]
RegionOption = Annotated[
    list[str] | None,
    typer.Option("--region", help="Region that it works in; several times; none: all."),
]
GenerateOption = Annotated[
    bool, typer.Option("--generate", help="Make a password and show it once.")
]


@account.command()
def add(
    login: LoginArgument,
    role: RoleOption = None,
    name: Annotated[str, typer.Option(help="Name of the person.")] = "",
    region: RegionOption = None,
    generate: GenerateOption = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Signs in by the organisation's accounts alone.")
    ] = False,
    lang: LangOption = None,
) -> None:
    """Add an account; the password is asked for, or read from the standard input."""
    console, words = Console(), words_for(lang)
    made = new_account(
        utc_now(), login=login, name=name, roles=_roles(role), region_ids=region or ()
    )
    password = None if no_password else _password(words, generate=generate)
    hashed = hash_for(made, password)
    with open_database() as engine, writing(engine) as session:
        add_account(session, PROGRAM, made, hashed)
    console.print(
        words("account.cli.added", login=made.login, roles=_role_words(words, made)), markup=False
    )
    if generate and password:
        console.print(words("account.cli.generated", password=password), markup=False)


@account.command(name="list")
def list_accounts(
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones too.")] = False,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """List the accounts."""
    words = words_for(lang)
    with open_database() as engine, reading(engine) as session:
        found = accounts_store.accounts(session, limit=LIST_MAX, with_closed=closed)
    if as_json:
        print_json({"accounts": [_facts(one) for one in found]})
        return
    table = Table(box=None, pad_edge=False)
    for code in ("accounts.col.login", "accounts.col.name", "accounts.roles", "accounts.regions"):
        table.add_column(words(code))
    for one in found:
        login = f"{one.login} ({words('accounts.closed')})" if one.closed_at else one.login
        regions = ", ".join(one.region_ids) or words("accounts.regions.all")
        table.add_row(login, one.name, _role_words(words, one), regions)
    console = Console()
    console.print(table)
    console.print(words.count("accounts.count", len(found)))


@account.command()
def close(login: LoginArgument, lang: LangOption = None) -> None:
    """Close an account: nobody signs in by it, what it did stays readable."""
    words = words_for(lang)
    with open_database() as engine, writing(engine) as session:
        close_account(session, PROGRAM, _account(session, login), utc_now())
    Console().print(words("account.cli.closed", login=normal_login(login)), markup=False)


@account.command()
def password(
    login: LoginArgument,
    generate: GenerateOption = False,
    lang: LangOption = None,
) -> None:
    """Set the password of an account, opening it again where it was closed."""
    console, words = Console(), words_for(lang)
    with open_database() as engine:
        with reading(engine) as session:
            wanted = _account(session, login)
        given = _password(words, generate=generate)
        hashed = hash_for(wanted, given)
        with writing(engine) as session:
            reopen_account(session, PROGRAM, wanted)
            set_password(session, PROGRAM, wanted, hashed)
    console.print(words("account.cli.password", login=wanted.login), markup=False)
    if generate:
        console.print(words("account.cli.generated", password=given), markup=False)


@account.command()
def roles(
    login: LoginArgument,
    role: RoleOption = None,
    region: RegionOption = None,
    lang: LangOption = None,
) -> None:
    """Give an account these roles, and these regions."""
    words = words_for(lang)
    with open_database() as engine, writing(engine) as session:
        before = _account(session, login)
        after = change_account(
            session,
            PROGRAM,
            before,
            name=before.name,
            roles=_roles(role),
            region_ids=before.region_ids if region is None else region,
            language=before.language,
        )
    told = words("account.cli.roles", login=after.login, roles=_role_words(words, after))
    Console().print(told, markup=False)


def _account(session: Session, login: str) -> Account:
    found = accounts_store.account_by_login(session, normal_login(login))
    if found is None:
        raise NotFoundError("account.unknown_login", login=login)
    return found


def _roles(codes: list[str] | None) -> list[Role]:
    known = {str(role): role for role in Role if role is not Role.PUBLIC}
    if not codes or not set(codes) <= set(known):
        raise InputError("account.no_role", known=", ".join(known))
    return [known[code] for code in codes]


def _role_words(words: Words, one: Account) -> str:
    return ", ".join(words(f"role.{role}") for role in one.roles)


def _password(words: Words, *, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(GENERATED_BYTES)
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = typer.prompt(
        words("accounts.password"), hide_input=True, confirmation_prompt=words("accounts.own.again")
    )
    return asked


def _facts(one: Account) -> dict[str, object]:
    return {
        "account_id": one.account_id,
        "login": one.login,
        "name": one.name,
        "roles": list(one.roles),
        "region_ids": list(one.region_ids),
        "has_password": one.has_password,
        "closed_at": one.closed_at,
    }
