"""What a stored thing is shown as: the fields of what can be told, without their limits.

A thing may have come from a file before a limit was set, and must be readable all the same.
"""

from datetime import date
from functools import cache
from types import UnionType
from typing import Annotated, Any, Self, Union, get_args, get_origin

from pydantic import BaseModel, Field, create_model

from data.db.region_store import Stored
from data.db.things import adapter_of


class Meta(BaseModel):
    """What the service adds to a thing."""

    key: str = Field(description="Lasting id in the region.")
    revision: int = Field(description="Guards changes: send it as If-Match.")
    valid_from_date: date | None = Field(description="First date of this version; null: ever since")
    valid_to_date: date | None = Field(description="First date without it; null: it goes on.")
    merged_into: str | None = None

    @classmethod
    def from_stored(cls, stored: Stored) -> Self:
        """What the API tells of a thing; sets come sorted."""
        kind: type = type(stored.thing)
        document = adapter_of(kind).dump_python(stored.thing)
        values = {name: _plain(document[name]) for name in cls.model_fields if name in document}
        since = stored.valid_from_date
        return cls(
            **values,
            key=stored.key,
            revision=stored.revision,
            valid_from_date=None if since == date.min else since,
            valid_to_date=stored.valid_to_date,
            merged_into=stored.merged_into,
        )


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value


def shown_as(body: type[BaseModel], name: str) -> type[Meta]:
    """The model of a stored thing with the fields of ``body``."""
    told = f"{(body.__doc__ or '').strip()} As it is stored."
    return create_model(name, __base__=Meta, __doc__=told, **_fields(body))


def free_of_limits(body: type[BaseModel], name: str) -> type[BaseModel]:
    """The model of ``body`` without limits, to show what is stored."""
    return create_model(name, __doc__=body.__doc__, **_fields(body))


def _fields(body: type[BaseModel]) -> dict[str, Any]:
    return {
        name: (_free(field.annotation), Field(description=field.description))
        for name, field in body.model_fields.items()
    }


def _free(kind: Any) -> Any:
    """A type without limits: those of its parts are taken off too."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _free(parts[0])
    if origin in (Union, UnionType):
        return Union[tuple(_free(part) for part in parts)]  # noqa: UP007
    if origin in (list, dict):
        return origin[tuple(_free(part) for part in parts)]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _part(kind)
    return kind


@cache
def _part(body: type[BaseModel]) -> type[BaseModel]:
    return free_of_limits(body, body.__name__.removesuffix("Body") + "Part")
