"""Holds over HTTP, and the lists of a vehicle's day."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import NUL_FREE
from api.services.circulation_day import DayLists

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=NUL_FREE)]


class HoldCreate(BaseModel):
    """A reader asks for a title at a stop."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"title_id": "t-3", "patron_id": "p-17", "stop_id": "lugovoe"}]
        },
    )
    title_id: Id
    patron_id: Id
    stop_id: Annotated[str, Field(min_length=1, max_length=120, pattern=NUL_FREE)]


class HoldPlaced(BaseModel):
    """A hold that was taken."""

    hold_id: str


class SetAsideCreate(BaseModel):
    """The run for whose stops items are to be set aside."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"vehicle": "north", "date": "2026-11-26"}]},
    )
    vehicle: Annotated[str, Field(min_length=1, max_length=120, pattern=NUL_FREE)]
    date: date


class SetAside(BaseModel):
    """How many items were set aside."""

    num_ready: int


class PickPublic(BaseModel):
    """An item to be handed over at a stop."""

    visit_id: str
    stop_id: str
    hold_id: str
    patron_id: str
    item_id: str
    title: str
    shelf: str
    place: str
    is_to_fetch: bool = Field(description="Not aboard yet.")


class LoadPublic(BaseModel):
    """An item to be put aboard."""

    item_id: str
    title: str
    from_place: str
    reason: str = Field(description="hold, box or plan.")
    stop_id: str


class DayListsPublic(BaseModel):
    """What to hand over on a run, and what to load before it."""

    picks: list[PickPublic]
    loads: list[LoadPublic]

    @classmethod
    def from_domain(cls, lists: DayLists) -> "DayListsPublic":
        """What the API tells of them."""
        return cls(
            picks=[
                PickPublic(
                    visit_id=line.visit_id,
                    stop_id=line.stop_id,
                    hold_id=line.hold_id,
                    patron_id=line.patron_id,
                    item_id=line.item.item_id,
                    title=lists.titles.get(line.item.item_id, ""),
                    shelf=line.shelf,
                    place=str(line.item.place),
                    is_to_fetch=line.is_to_fetch,
                )
                for line in lists.picks
            ],
            loads=[
                LoadPublic(
                    item_id=line.item_id,
                    title=lists.titles.get(line.item_id, ""),
                    from_place=str(line.from_place),
                    reason=line.reason,
                    stop_id=line.stop_id or "",
                )
                for line in lists.loads
            ],
        )
