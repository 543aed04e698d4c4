"""The API as a page to read: from the OpenAPI document, with no script and no other server."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.rendering import render

router = APIRouter()
METHODS = ("get", "post", "put", "patch", "delete")
type Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A parameter or a field: its name, type in words, whether it must be given, what it is."""

    name: str
    kind: str
    is_required: bool
    about: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that the API does."""

    anchor: str
    method: str
    path: str
    title: str
    about: str
    parameters: tuple[Entry, ...]
    body_type: str
    body: tuple[Entry, ...]
    example: str
    answers: tuple[tuple[str, str, str], ...]
    """Status, what it means, type of the answer."""


@router.get("/api/docs")
def api_page(request: Request) -> HTMLResponse:
    """Every operation of the API by group, and every type."""
    document: Document = request.app.openapi()
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                tag = operation.get("tags", ["other"])[0]
                groups.setdefault(tag, []).append(_operation(document, path, method, operation))
    schemas = document.get("components", {}).get("schemas", {})
    types = [
        (name, schema.get("description") or kind_of(schema), _fields(document, schema))
        for name, schema in sorted(schemas.items())
    ]
    return render(
        request, "api_docs.html", groups=groups, types=types, version=document["info"]["version"]
    )


def _operation(document: Document, path: str, method: str, told: Document) -> Operation:
    content = told.get("requestBody", {}).get("content", {})
    none: tuple[str, Document] = ("", {})
    body_type, media = next(iter(content.items()), none)
    schema = _resolved(document, media.get("schema", {}))
    examples = schema.get("examples") or [None]
    return Operation(
        anchor=told["operationId"],
        method=method.upper(),
        path=path,
        title=told.get("summary", ""),
        about=told.get("description", ""),
        parameters=tuple(
            Entry(
                name=one["name"],
                kind=kind_of(one.get("schema", {})),
                is_required=one.get("required", False),
                about=one.get("description", ""),
                place=one["in"],
            )
            for one in told.get("parameters", [])
        ),
        body_type=f"{body_type} {kind_of(media.get('schema', {}))}" if body_type else "",
        body=_fields(document, schema),
        example="" if examples[0] is None
        else json.dumps(examples[0], ensure_ascii=False, indent=2),
        answers=tuple(
            (status, answer.get("description", ""), _answer_kind(answer))
            for status, answer in told["responses"].items()
        ),
    )  # fmt: skip


def _answer_kind(answer: Document) -> str:
    none: Document = {}
    media = next(iter(answer.get("content", {}).values()), none)
    return kind_of(media["schema"]) if "schema" in media else ""


def _fields(document: Document, schema: Document) -> tuple[Entry, ...]:
    required = schema.get("required", [])
    return tuple(
        Entry(
            name=name,
            kind=kind_of(one),
            is_required=name in required,
            about=_resolved(document, one).get("description", "") if "$ref" not in one else "",
        )
        for name, one in schema.get("properties", {}).items()
    )


def _resolved(document: Document, schema: Document) -> Document:
    if "$ref" not in schema:
        return schema
    found: Document = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found


def kind_of(schema: Document) -> str:
    """A schema in a few words: ``string ≤ 120``, ``AccountPublic[]``, ``integer or null``."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(kind_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"{kind_of(schema.get('items', {}))}[]"
    form = schema.get("format")
    limits = [
        f"{sign} {schema[name]}"
        for name, sign in (
            ("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"),
            ("exclusiveMaximum", "<"), ("maxLength", "≤"),
        )
        if name in schema
    ]  # fmt: skip
    return " ".join([kind, *([f"({form})"] if form else []), *limits])
