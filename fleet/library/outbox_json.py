"""Operations and postings as JSON and back, for files and for databases."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum

from data.model.errors import InputError
from data.model.library_ops import (
    Answer,
    LibraryOperation,
    OperationId,
    OperationKind,
    Outcome,
)
from fleet.library.outbox import Posting, Ruling, Standing

_TEXTS = (
    "item_id",
    "card",
    "inventory_no",
    "catalogue_code",
    "brief",
    "place",
    "operator",
    "name",
    "phone",
)
_DATES = ("due_date", "birth_date")
_TOLD = 80


def operation_to_json(operation: LibraryOperation) -> dict[str, object]:
    """An operation; what is empty is left out."""
    told: dict[str, object] = {
        "operation_id": operation.operation_id,
        "kind": operation.kind.value,
        "at": operation.at.isoformat(),
    }
    for name in (*_TEXTS, *_DATES):
        if value := getattr(operation, name):
            told[name] = value.isoformat() if isinstance(value, date) else value
    return told


def operation_from_json(told: object) -> LibraryOperation:
    """The operation that JSON tells of.

    Raises
    ------
    InputError
        ``library.bad_field`` with the field, or what the type itself refuses.
    """
    fields = _object(told, "operation")
    known = {"operation_id", "kind", "at", *_TEXTS, *_DATES}
    if unknown := sorted(set(fields) - known):
        raise _bad(unknown[0], fields[unknown[0]])
    return LibraryOperation(
        operation_id=OperationId(_text(fields, "operation_id")),
        kind=_choice(fields, "kind", OperationKind),
        at=_instant(fields, "at"),
        item_id=_text(fields, "item_id"),
        card=_text(fields, "card"),
        due_date=_maybe(fields, "due_date", _day),
        inventory_no=_text(fields, "inventory_no"),
        catalogue_code=_text(fields, "catalogue_code"),
        brief=_text(fields, "brief"),
        place=_text(fields, "place"),
        operator=_text(fields, "operator"),
        name=_text(fields, "name"),
        birth_date=_maybe(fields, "birth_date", _day),
        phone=_text(fields, "phone"),
    )


def posting_to_json(posting: Posting) -> dict[str, object]:
    """A posting with its operation."""
    told: dict[str, object] = {
        "operation": operation_to_json(posting.operation),
        "standing": posting.standing.value,
        "num_tries": posting.num_tries,
    }
    for name in ("next_at", "ruled_at"):
        if (value := getattr(posting, name)) is not None:
            told[name] = value.isoformat()
    for name in ("ruled_by", "note"):
        if value := getattr(posting, name):
            told[name] = value
    if posting.ruling is not None:
        told["ruling"] = posting.ruling.value
    if (answer := posting.answer) is not None:
        told["answer"] = {
            "outcome": answer.outcome.value,
            "code": answer.code,
            "told": answer.told,
            **({"facts": dict(answer.facts)} if answer.facts else {}),
            **({"due_date": answer.due_date.isoformat()} if answer.due_date else {}),
        }
    return told


def posting_from_json(told: object) -> Posting:
    """The posting that JSON tells of; ``library.bad_field`` for anything else."""
    fields = _object(told, "posting")
    tries = fields.get("num_tries", 0)
    if type(tries) is not int or tries < 0:
        raise _bad("num_tries", tries)
    return Posting(
        operation=operation_from_json(fields.get("operation")),
        standing=_choice(fields, "standing", Standing),
        num_tries=tries,
        next_at=_maybe(fields, "next_at", _instant),
        answer=None if fields.get("answer") is None else _answer(fields["answer"]),
        ruling=_maybe(fields, "ruling", lambda f, n: _choice(f, n, Ruling)),
        ruled_by=_text(fields, "ruled_by"),
        ruled_at=_maybe(fields, "ruled_at", _instant),
        note=_text(fields, "note"),
    )


def _answer(told: object) -> Answer:
    fields = _object(told, "answer")
    return Answer(
        outcome=_choice(fields, "outcome", Outcome),
        code=_text(fields, "code"),
        told=_text(fields, "told"),
        due_date=_maybe(fields, "due_date", _day),
        facts=_facts(fields),
    )


def _facts(fields: Mapping[str, object]) -> dict[str, str]:
    told = _object(fields.get("facts", {}), "facts")
    return {str(name): _text(told, name) for name in told}


type _Fields = Mapping[str, object]


def _bad(name: str, value: object) -> InputError:
    return InputError("library.bad_field", field=name[:_TOLD], value=str(value)[:_TOLD])


def _object(told: object, name: str) -> _Fields:
    if not isinstance(told, Mapping):
        raise _bad(name, told)
    return told


def _text(fields: _Fields, name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise _bad(name, value)
    return value


def _choice[T: StrEnum](fields: _Fields, name: str, kind: type[T]) -> T:
    value = fields.get(name)
    if not isinstance(value, str) or value not in set(kind):
        raise _bad(name, value)
    return kind(value)


def _maybe[T](fields: _Fields, name: str, read: Callable[[_Fields, str], T]) -> T | None:
    return None if fields.get(name) is None else read(fields, name)


def _day(fields: _Fields, name: str) -> date:
    try:
        return date.fromisoformat(_text(fields, name))
    except ValueError:
        raise _bad(name, fields.get(name)) from None


def _instant(fields: _Fields, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(_text(fields, name))
    except ValueError:
        raise _bad(name, fields.get(name)) from None
    if found.utcoffset() is None:
        raise _bad(name, fields.get(name))
    return found
