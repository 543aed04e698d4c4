"""A region with a published plan, readers and stock, and tablets that bring events of a day."""

import hashlib
import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from api.auth import hash_token
from api.services.ledger import Ledgers
from api.services.sync import Exchange, Exchanged, exchange
from api.state import Service
from data.db import accounts_store, circulation_store, devices_store
from data.db.engine import writing
from data.model.accounts import Account, Caller, Device, Role
from data.model.patrons import Block, BlockReason, Patron, PatronId, PatronKind
from data.model.place import StopId
from data.model.stock import Item, ItemId, ItemPlace, PlaceKind, Title, TitleId
from tests.api.tracking.depot import NORTH, REGION, Depot, depot
from tests.fleet.days import DAY, ROUNDS

MORNING = datetime(2026, 12, 1, 6, tzinfo=UTC)
STOPS = tuple(StopId(s) for s in ROUNDS[0])
ABOARD = ItemPlace(kind=PlaceKind.VEHICLE, key=str(NORTH))
OLGA_TOKEN = "token-of-olga"
OLGA = Account(
    account_id="b" * 32,
    login="olga",
    name="Ольга",
    roles=(Role.LIBRARIAN,),
    created_at=MORNING,
)


def stock(num_items: int = 60) -> tuple[Title | Item, ...]:
    """Titles and items aboard."""
    titles = [
        Title(title_id=TitleId(f"t{n}"), name=f"Книга {n}", author="Автор", shelf="84")
        for n in range(max(1, num_items // 2))
    ]
    items = [
        Item(item_id=ItemId(f"i{n}"), title_id=titles[n % len(titles)].title_id, place=ABOARD)
        for n in range(num_items)
    ]
    return (*titles, *items)


def readers(num: int = 20) -> tuple[Patron, ...]:
    """Readers of the stops of a day, one blocked, one from elsewhere."""
    own = [
        Patron(
            patron_id=PatronId(f"p{n}"),
            card=f"card-{n:05}",
            name=f"Иванова Мария {n}",
            birth_date=date(1960 + n % 50, 3, 1),
            phone="+7 900 000-00-00",
            stop_ids=frozenset({STOPS[n % len(STOPS)]}),
        )
        for n in range(num)
    ]
    block = Block(reason=BlockReason.DEBT, since_date=date(2026, 1, 1))
    blocked = Patron(
        patron_id=PatronId("blocked"),
        card="card-blocked",
        stop_ids=frozenset({STOPS[0]}),
        blocks=(block,),
    )
    away = Patron(patron_id=PatronId("away"), card="card-away", stop_ids=frozenset({StopId("s0x")}))
    school = Patron(
        patron_id=PatronId("school"),
        kind=PatronKind.COLLECTIVE,
        card="card-school",
        stop_ids=frozenset({STOPS[0]}),
    )
    return (*own, blocked, away, school)


def stock_up(engine: Engine, *things: Any, region_id: str = REGION) -> None:
    """Put things into the base of a region."""
    with writing(engine) as session:
        circulation_store.hold_circulation(session, region_id)
        circulation_store.put_things(session, region_id, things)
        circulation_store.advance(session, region_id, is_new_base=True)


def pair(
    engine: Engine, number: int = 0, vehicle_id: str = NORTH, *, at: datetime = MORNING
) -> tuple[Device, str]:
    """A tablet that was paired at a time, and its token."""
    device_id, token = f"{number:032x}", f"token-{number}"
    device = Device(
        device_id=device_id,
        region_id=REGION,
        vehicle_id=vehicle_id,
        name=f"Tablet {number}",
        roles=(Role.CREW,),
        created_at=at,
    )
    with writing(engine) as session:
        code = hash_token(f"code-{number}")
        devices_store.add_device(session, device, code)
        until = at + timedelta(days=1)
        devices_store.offer_pairing(session, device_id, code, until)
        found = devices_store.pair(session, code, hash_token(token), at)
    assert found is not None
    return found, token


@dataclass(slots=True, kw_only=True)
class TabletAt:
    """What a tablet writes; its clock is off by so many seconds."""

    device: Device
    off_s: float = 0.0
    word: str = "aaaaaa"
    place: ItemPlace = ABOARD
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def journal_id(self) -> str:
        return f"{self.device.device_id}.{self.word}"

    def clock(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.off_s)

    def write(self, kind: str, at: datetime, stop_id: str = "", **body: Any) -> dict[str, Any]:
        """Add an event as the tablet's own code writes it."""
        sequence = len(self.events) + 1
        told = f"{self.journal_id}/{sequence}"
        event: dict[str, Any] = {
            "v": 1,
            "event_id": str(uuid.UUID(hashlib.md5(told.encode()).hexdigest())),
            "device_id": self.journal_id,
            "sequence": sequence,
            "device_at": stamp(self.clock(at)),
            "kind": kind,
            "place": str(self.place),
            "service_date": DAY.isoformat(),
            "body": body,
        }
        if stop_id:
            event |= {"stop_id": stop_id, "visit_id": f"v-{stop_id}"}
        self.events.append(event)
        return event

    def lend(self, item: str, patron: str, at: datetime, **told: Any) -> dict[str, Any]:
        body = {"item_id": item, "patron_id": patron, "due_date": "2026-12-22", **told}
        return self.write("loan", at, STOPS[0], **body)

    def request(self, at: datetime, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """A request that brings some of the events."""
        return {
            "device_id": self.journal_id,
            "device_now": stamp(self.clock(at)),
            "last_sequence": len(self.events),
            "events": list(events),
        }


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def random_day(
    tablet: TabletAt, chance: random.Random, num: int, *, items: int = 60, patrons: int = 20
) -> None:
    """Events of a day as a crew might write them, with slips and things that clash."""
    at = MORNING + timedelta(minutes=chance.randrange(60))
    for _ in range(num):
        at += timedelta(seconds=chance.randrange(20, 120), milliseconds=chance.randrange(1000))
        item, patron = f"i{chance.randrange(items + 2)}", f"p{chance.randrange(patrons + 1)}"
        what = chance.random()
        if what < 0.5:
            tablet.lend(item, patron, at)
        elif what < 0.75:
            tablet.write("return", at, STOPS[0], item_id=item)
        elif what < 0.8:
            tablet.write("renewal", at, STOPS[0], item_id=item, due_date="2026-12-29")
        elif what < 0.85:
            card = f"card-new-{chance.randrange(6)}"
            new = f"new-{tablet.device.device_id[-3:]}-{len(tablet.events)}"
            tablet.write("registration", at, STOPS[0], patron_id=new, card=card, name="Новый")
        elif what < 0.95 or not tablet.events:
            tablet.write("count", at, STOPS[0], counts={"visits_service.adult": 1})
        else:
            slip = chance.choice(tablet.events)["event_id"]
            tablet.write("void", at, event_id=slip)


@dataclass(slots=True, kw_only=True)
class Library:
    """A running service with readers and stock."""

    depot: Depot

    @property
    def engine(self) -> Engine:
        return self.depot.engine

    @property
    def service(self) -> Service:
        return self.depot.service

    def ask(self, method: str, path: str, token: str = OLGA_TOKEN, **given: Any) -> httpx.Response:
        """A request of whoever has the token; the path begins behind ``/api/v1/``."""
        headers = {"authorization": f"Bearer {token}", **given.pop("headers", {})}
        return self.depot.client.request(method, f"/api/v1/{path}", headers=headers, **given)

    def bring(
        self,
        token: str,
        tablet: TabletAt,
        events: Sequence[Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Let a tablet bring events; the answer."""
        chosen = tablet.events if events is None else events
        body = tablet.request(self.depot.now, chosen)
        answer = self.ask("POST", "sync/events", token, json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def day(self, token: str, **query: Any) -> dict[str, Any]:
        answer = self.ask("GET", "tablet/day", token, params={"date": DAY.isoformat(), **query})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@contextmanager
def library(folder: Path, **settings: Any) -> Iterator[Library]:
    """A service with readers and stock at noon of the day, and a librarian who is signed in."""
    with depot(folder, MORNING, **settings) as made:
        stock_up(made.engine, *stock(), *readers())
        with writing(made.engine) as session:
            accounts_store.add_account(session, OLGA, None)
            accounts_store.add_sign_in(
                session,
                hash_token(OLGA_TOKEN),
                OLGA.account_id,
                MORNING,
                MORNING + timedelta(days=90),
            )
        made.now = MORNING + timedelta(hours=9)
        yield Library(depot=made)


def bring(
    service: Service,
    caller: Caller,
    tablet: TabletAt,
    events: Sequence[Mapping[str, Any]],
    at: datetime,
) -> Exchanged:
    """An exchange without the network between."""
    return exchange(
        service,
        Exchange(
            region_id=REGION,
            caller=caller,
            device_id=tablet.journal_id,
            device_now=tablet.clock(at),
            last_sequence=len(tablet.events),
            documents=events,
            at=at,
        ),
    )


def state_of(engine: Engine, region_id: str = REGION) -> dict[Any, Any]:
    """The state of a region as a service that has just been started finds it."""
    with Ledgers().reading(engine, region_id) as (_, ledger):
        return ledger.state.as_found()


type Cut = Callable[[], None]
