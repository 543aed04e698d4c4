"""What the address of the needs page asks for; an odd value asks for nothing."""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from fastapi import Depends, Request

from api.services.needs_view import NeedFilter, SortBy
from data.model.norms import NeedStatus

_TEXT_MAX = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Norm, date, filter, order and place in the table."""

    norm: str = ""
    on: date | None = None
    filter: NeedFilter = field(default_factory=NeedFilter)
    start: int = 0
    measuring: bool = False
    """Whether the page that asks still shows that ways are measured."""

    def pairs(self) -> list[tuple[str, str]]:
        """The same as parameters of an address, what is default left out."""
        chosen = self.filter
        given = {
            "norm": self.norm,
            "on": self.on.isoformat() if self.on else "",
            "text": chosen.text,
            "district": chosen.district,
            "status": chosen.status.value if chosen.status else "",
            "lacking": "true" if chosen.lacking else "",
            "people_from": "" if chosen.people_from is None else str(chosen.people_from),
            "people_to": "" if chosen.people_to is None else str(chosen.people_to),
            "sort": "" if chosen.sort is SortBy.STATUS else chosen.sort.value,
            "descending": "true" if chosen.descending else "",
        }
        return [(name, value) for name, value in given.items() if value]


def read_query(request: Request) -> Query:
    """The query of a request."""
    given = request.query_params

    def text(name: str) -> str:
        return given.get(name, "")[:_TEXT_MAX].replace("\0", "")

    def count(name: str) -> int | None:
        digits = text(name).strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None

    try:
        on = date.fromisoformat(text("on")) if text("on") else None
    except ValueError:
        on = None
    status = text("status")
    sort = text("sort")
    return Query(
        norm=text("norm"),
        on=on,
        filter=NeedFilter(
            text=text("text"),
            district=text("district"),
            status=NeedStatus(status) if status in set(NeedStatus) else None,
            lacking=text("lacking") == "true",
            people_from=count("people_from"),
            people_to=count("people_to"),
            sort=SortBy(sort) if sort in set(SortBy) else SortBy.STATUS,
            descending=text("descending") == "true",
        ),
        start=count("start") or 0,
        measuring=text("measuring") == "true",
    )


QueryDep = Annotated[Query, Depends(read_query)]
