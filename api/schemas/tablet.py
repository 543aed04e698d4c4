"""The day that a tablet takes along: run, stop cards, readers, items, rules.

Empty fields are told too, so that a tablet need not guess. Times of a stop are seconds from local
midnight of the service date; they may pass 86 400. Instants are UTC.
"""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from data.model.loans import DueBasis, HoldState
from data.model.patrons import BlockReason, PatronKind
from data.model.place import StopKind
from data.model.publication import VisitState
from data.model.stock import Carrier


class RegionAboard(BaseModel):
    """The region whose day it is."""

    region_id: str
    name: str
    time_zone: str
    language: str = Field(description="Language of the region: en or ru.")


class VehicleAboard(BaseModel):
    """The vehicle whose day it is."""

    vehicle_id: str
    name: str
    place: str = Field(description="Place of what is on its shelves, for events.")
    store: str = Field(description="Place of what is in its store.")


class VisitAboard(BaseModel):
    """A visit of a stop to come, by its date."""

    visit_id: str
    opens_date: date


class DueAboard(BaseModel):
    """When an item lent at a stop today is due, as the reader is to be told."""

    due_date: date
    due_visit_id: str = Field(description="Empty where no visit is promised in time.")
    basis: DueBasis


class SiteAboard(BaseModel):
    """What a crew must know of a stop's ground; null is not known."""

    surface: str
    room_m: float | None
    power: bool | None
    mobile_signal: bool | None
    light: bool | None
    toilet: bool | None
    step_free: bool | None
    contact: str
    permission_until_date: date | None
    notes: str
    photo: str = Field(description="Its name among the region's photos; empty where none.")


class BoxAboard(BaseModel):
    """A deposit box that is to be fetched at a stop."""

    box_id: str
    place: str
    item_ids: list[str]


class StopAboard(BaseModel):
    """A stop visit of the run, in order of driving; cancelled ones stand at their time."""

    visit_id: str
    stop_id: str
    name: str
    community: str
    kind: StopKind
    state: VisitState
    lon: float
    lat: float
    arrival_s: int
    start_s: int = Field(description="The doors open.")
    end_s: int = Field(description="The doors close.")
    departure_s: int
    arrival_at: datetime
    start_at: datetime
    end_at: datetime
    departure_at: datetime
    services: list[str]
    site: SiteAboard
    to_hand_over: list[str] = Field(description="Ids of holds that lie ready for this stop.")
    expected_back: list[str] = Field(description="Ids of loans due by today, longest overdue first")
    blocked: list[str] = Field(description="Ids of the stop's readers to whom nothing is lent.")
    collectives: list[str] = Field(description="Ids of the stop's collective readers.")
    boxes_back: list[BoxAboard]
    due: DueAboard = Field(description="For what is lent or renewed here today.")
    coming: list[VisitAboard] = Field(description="Its next visits after today.")


class WayAboard(BaseModel):
    """What is known of the vehicle's way: its odometer, and how far the day is planned to go."""

    last_km: float | None = Field(description="Odometer at the end of the last day written down.")
    last_date: date | None
    out_km: float | None = Field(description="In the day's sheet, before the run.")
    in_km: float | None = Field(description="In the day's sheet, after the run.")
    fuel: float | None
    planned_km: float | None


class DepotAboard(BaseModel):
    """Where the run starts or ends."""

    depot_id: str
    lon: float
    lat: float


class RunAboard(BaseModel):
    """The run of the day; without stops where none is promised."""

    run_id: str = Field(description="vehicle@date, the same as in the live board.")
    depart_at: datetime | None
    return_at: datetime | None
    start_depot: DepotAboard | None
    end_depot: DepotAboard | None
    stops: list[StopAboard]
    line: list[list[list[float]]] = Field(
        description="The way as pieces of [lon, lat], one a leg; empty without a road network."
    )


class BlockAboard(BaseModel):
    """A reason not to lend to a reader."""

    reason: BlockReason
    until_date: date | None


class PatronAboard(BaseModel):
    """A reader of the day's stops; no telephone, no address, no date of birth."""

    patron_id: str
    card_hash: str = Field(
        description="Hex SHA-256 of card_salt + card, UTF-8; empty where there is no card."
    )
    card_end: str = Field(description="Last three characters of the card.")
    name: str
    kind: PatronKind
    age_years: int | None = Field(description="Full years on the service date.")
    stop_ids: list[str]
    expires_date: date | None
    blocks: list[BlockAboard] = Field(description="Those that hold on the service date.")


class TitleAboard(BaseModel):
    """A work of which there are items aboard or holds."""

    title_id: str
    name: str
    author: str
    year: int | None
    age_mark: str
    shelf: str
    carrier: Carrier
    is_for_children: bool
    is_accessible: bool


class ItemAboard(BaseModel):
    """A copy: aboard, set aside, or lent to one of the day's readers."""

    item_id: str = Field(description="What is scanned.")
    title_id: str
    place: str = Field(description="vehicle:KEY, store:KEY or point:KEY.")
    inventory_no: str
    is_for_loan: bool
    box_id: str


class LoanAboard(BaseModel):
    """An open loan."""

    loan_id: str
    item_id: str
    patron_id: str = Field(description="Empty for a reader who is not one of the day's.")
    stop_id: str
    due_date: date
    due_visit_id: str
    loaned_at: datetime
    num_renewals: int
    is_disputed: bool


class HoldAboard(BaseModel):
    """An open hold at one of the day's stops."""

    hold_id: str
    title_id: str
    patron_id: str
    stop_id: str
    state: HoldState
    item_id: str
    pickup_visit_id: str
    pickup_date: date | None
    keep_until_date: date | None


class RulesAboard(BaseModel):
    """What is allowed aboard (``LendingRules``)."""

    least_days: int
    most_days: int
    most_loans: dict[PatronKind, int] = Field(description="By kind of reader; absent: no limit.")
    most_renewals: int
    overdue_days: int
    hold_visits: int
    firm_mark_years: int
    snapshot_hours: int
    registration_days: int


class CardsAboard(BaseModel):
    """Cards: how to recognise one that is scanned, and numbers for new readers."""

    salt: str
    prefix: str = Field(description="A new card's number is prefix + number: of this tablet alone.")
    next_number: int


class MapAboard(BaseModel):
    """The map of the district, to be kept on the tablet; null where the service has none."""

    url: str
    size_bytes: int
    version: str


class JournalAboard(BaseModel):
    """What the server has of the journals of this tablet."""

    device_id: str = Field(
        description="Events are written under this id, a point and a random word of a tablet's"
        " storage (`…3f.k7q2xw`): a wiped storage begins a journal of its own, from 1."
    )
    last_sequence: dict[str, int] = Field(description="Greatest number by journal.")


class TabletDay(BaseModel):
    """All that a tablet needs of a day without a network."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "v": 1,
                    "version": "6f1c0e9ab3d24f58a7c0b1d2e3f4a5b6",
                    "revision": 412,
                    "made_at": "2026-11-26T04:55:00Z",
                    "expires_at": "2026-11-29T04:55:00Z",
                    "service_date": "2026-11-26",
                    "region": {
                        "region_id": "kaliningrad",
                        "name": "Калининградская область",
                        "time_zone": "Europe/Kaliningrad",
                        "language": "ru",
                    },
                    "vehicle": {
                        "vehicle_id": "north",
                        "name": "Северный",
                        "place": "vehicle:north",
                        "store": "store:north",
                    },
                    "run": {
                        "run_id": "north@2026-11-26",
                        "depart_at": "2026-11-26T06:20:00Z",
                        "return_at": "2026-11-26T14:10:00Z",
                        "start_depot": {"depot_id": "base", "lon": 20.51, "lat": 54.71},
                        "end_depot": {"depot_id": "base", "lon": 20.51, "lat": 54.71},
                        "stops": [
                            {
                                "visit_id": "0f6b2c",
                                "stop_id": "lugovoe",
                                "name": "Луговое, у клуба",
                                "community": "Луговое",
                                "kind": "public",
                                "state": "planned",
                                "lon": 20.62,
                                "lat": 54.66,
                                "arrival_s": 35400,
                                "start_s": 36000,
                                "end_s": 39600,
                                "departure_s": 40200,
                                "arrival_at": "2026-11-26T07:50:00Z",
                                "start_at": "2026-11-26T08:00:00Z",
                                "end_at": "2026-11-26T09:00:00Z",
                                "departure_at": "2026-11-26T09:10:00Z",
                                "services": [],
                                "site": {
                                    "surface": "asphalt",
                                    "room_m": 14.0,
                                    "power": True,
                                    "mobile_signal": False,
                                    "light": None,
                                    "toilet": None,
                                    "step_free": True,
                                    "contact": "Клуб, Анна Ивановна",
                                    "permission_until_date": None,
                                    "notes": "Въезд со двора",
                                    "photo": "",
                                },
                                "to_hand_over": ["hold-1"],
                                "expected_back": ["loan-9"],
                                "blocked": ["p-17"],
                                "collectives": [],
                                "boxes_back": [],
                                "due": {
                                    "due_date": "2026-12-10",
                                    "due_visit_id": "7aa1",
                                    "basis": "visit",
                                },
                                "coming": [{"visit_id": "7aa1", "opens_date": "2026-12-10"}],
                            }
                        ],
                        "line": [[[20.51, 54.71], [20.62, 54.66]]],
                    },
                    "way": {
                        "last_km": 45081.0,
                        "last_date": "2026-11-25",
                        "out_km": None,
                        "in_km": None,
                        "fuel": None,
                        "planned_km": 132.4,
                    },
                    "patrons": [
                        {
                            "patron_id": "p-17",
                            "card_hash": "9b3c",
                            "card_end": "042",
                            "name": "Пётр Сидоров",
                            "kind": "person",
                            "age_years": 15,
                            "stop_ids": ["lugovoe"],
                            "expires_date": "2027-03-01",
                            "blocks": [{"reason": "debt", "until_date": None}],
                        }
                    ],
                    "titles": [
                        {
                            "title_id": "t-3",
                            "name": "Два капитана",
                            "author": "Каверин В. А.",
                            "year": 2019,
                            "age_mark": "12+",
                            "shelf": "84(2)",
                            "carrier": "book",
                            "is_for_children": False,
                            "is_accessible": False,
                        }
                    ],
                    "items": [
                        {
                            "item_id": "2000000034",
                            "title_id": "t-3",
                            "place": "vehicle:north",
                            "inventory_no": "А-34",
                            "is_for_loan": True,
                            "box_id": "",
                        }
                    ],
                    "loans": [],
                    "holds": [],
                    "rules": {
                        "least_days": 7,
                        "most_days": 30,
                        "most_loans": {"person": 10, "home": 20},
                        "most_renewals": 2,
                        "overdue_days": 14,
                        "hold_visits": 2,
                        "firm_mark_years": 18,
                        "snapshot_hours": 72,
                        "registration_days": 365,
                    },
                    "cards": {"salt": "5d0c…", "prefix": "3f7a-", "next_number": 1},
                    "journal": {"device_id": "3f7a90", "last_sequence": {"3f7a90.k7q2xw": 118}},
                    "map": {
                        "url": "/api/v1/tablet/map.pmtiles?region_id=kaliningrad",
                        "size_bytes": 649000,
                        "version": "1c9e",
                    },
                    "words_version": "b71f0c",
                }
            ]
        }
    )
    v: int = Field(description="Version of this form.")
    version: str = Field(description="What is in it; the ETag, and `snapshot_id` of events.")
    revision: int = Field(description="Of the region's circulation; sync answers tell a newer one.")
    made_at: datetime
    expires_at: datetime = Field(description="When the tablet must wipe it.")
    service_date: date
    region: RegionAboard
    vehicle: VehicleAboard
    run: RunAboard
    way: WayAboard
    patrons: list[PatronAboard]
    titles: list[TitleAboard]
    items: list[ItemAboard]
    loans: list[LoanAboard]
    holds: list[HoldAboard]
    rules: RulesAboard
    cards: CardsAboard
    journal: JournalAboard
    map: MapAboard | None
    words_version: str = Field(description="Of the interface's words and files.")
