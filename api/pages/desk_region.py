"""What pages of a region's desk share: the region as it is now, who looks at it, its date."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.datastructures import FormData, QueryParams
from starlette.responses import HTMLResponse

from api.auth import Caller, Role, require_region
from api.language import words_of
from api.rendering import render
from api.services.region_parts import parts_of
from api.state import Service
from api.words import Words
from data.db.engine import reading
from data.model.errors import InputError
from data.model.region import Region

MOST_FIELDS = 2_000

type Given = FormData | QueryParams
"""What a form has sent, by POST or in the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A region's desk as somebody opens it."""

    request: Request
    service: Service
    asking: Caller
    region: Region
    revision: int
    words: Words

    @property
    def today(self) -> date:
        """The date in the region."""
        return self.service.clock().astimezone(ZoneInfo(self.region.time_zone)).date()

    @property
    def can_edit(self) -> bool:
        return self.asking.may(Role.DISPATCHER)

    @property
    def root(self) -> str:
        """Address of the desk."""
        return f"/desk/{self.region.region_id}"

    def render(
        self, template: str, *, area: str, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A page of the desk."""
        return render(
            self.request,
            template,
            status=status,
            language=self.region.language,
            region_id=self.region.region_id,
            region_name=self.region.name_in(self.words.language),
            area=area,
            root=self.root,
            can_edit=self.can_edit,
            today=self.today,
            **context,
        )


def open_desk(request: Request, service: Service, asking: Caller, region_id: str) -> Desk:
    """The desk of a region that one works in.

    Raises
    ------
    AccessError
        ``access.sign_in`` or ``access.region``.
    NotFoundError
        ``region.unknown``.
    """
    require_region(asking, region_id)
    with reading(service.engine) as session:
        region, revision = parts_of(request).regions.load(session, region_id)
    return Desk(
        request=request,
        service=service,
        asking=asking,
        region=region,
        revision=revision,
        words=words_of(request, region.language),
    )


async def form_data(request: Request) -> FormData:
    """What a form sent, its fields as text.

    Raises
    ------
    InputError
        ``form.too_many_fields``.
    """
    data = await request.form(max_files=0, max_fields=MOST_FIELDS)
    if len(data.multi_items()) > MOST_FIELDS:
        raise InputError("form.too_many_fields", limit=MOST_FIELDS)
    return data


def text_of(data: Given, name: str, otherwise: str = "") -> str:
    """One field of a form as text without outer blanks and without NUL."""
    value = data.get(name, otherwise)
    return value.replace("\0", "").strip() if isinstance(value, str) else otherwise


def date_of(data: Given, name: str) -> date | None:
    """A date of a form; ``None`` where it is empty.

    Raises
    ------
    InputError
        ``form.not_a_date``.
    """
    text = text_of(data, name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("form.not_a_date", field=name, value=text[:40]) from None


def whole_of(data: Given, name: str) -> int | None:
    """A whole number of a form; ``None`` where it is empty or none."""
    text = text_of(data, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
