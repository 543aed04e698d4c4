"""Where vehicles are and were: trackers, fixes, compressed tracks, live state, alerts."""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, Index, SmallInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from data.db.base import Json


class TrackerRow(SQLModel, table=True):
    """A device whose fixes are taken, or a server that forwards for many.

    ``open_key`` is protocol and external id while it is open: a device belongs to one vehicle.
    """

    __tablename__ = "tracker"
    tracker_no: int | None = Field(default=None, primary_key=True)
    """Short name of the tracker in the tables of fixes."""
    tracker_id: str = Field(max_length=36, unique=True)
    region_id: str = Field(foreign_key="region.region_id", max_length=64, index=True)
    vehicle_id: str | None = Field(default=None, max_length=120)
    protocol: str = Field(max_length=16)
    external_id: str = Field(max_length=100)
    open_key: str | None = Field(default=None, max_length=120, unique=True)
    name: str = Field(max_length=120)
    secret_hash: str | None = Field(default=None, max_length=64, unique=True)
    """SHA-256; ``None``: it is known by its number alone."""
    created_at: datetime
    created_by: str | None = Field(default=None, max_length=36)
    heard_at: datetime | None = None
    last_fix_at: datetime | None = None
    num_stored: int = Field(default=0, sa_type=BigInteger)
    num_known: int = Field(default=0, sa_type=BigInteger)
    num_refused: int = Field(default=0, sa_type=BigInteger)
    num_guarded: int = Field(default=0, sa_type=BigInteger)
    closed_at: datetime | None = None


class UnknownDeviceRow(SQLModel, table=True):
    """A device that was refused: for the dispatcher to adopt."""

    __tablename__ = "unknown_device"
    protocol: str = Field(primary_key=True, max_length=16)
    external_id: str = Field(primary_key=True, max_length=100)
    address: str = Field(default="", max_length=64)
    code: str = Field(max_length=64)
    first_at: datetime
    last_at: datetime = Field(index=True)
    num_messages: int = Field(default=1)


class FixRow(SQLModel, table=True):
    """A fix that came in lately; some minutes later it is packed into a chunk."""

    __tablename__ = "fix"
    __table_args__ = (Index("ix_fix_arrival", "arrival"), {"sqlite_with_rowid": False})
    tracker_no: int = Field(primary_key=True, foreign_key="tracker.tracker_no")
    fix_us: int = Field(primary_key=True, sa_type=BigInteger)
    """Microseconds since 1970."""
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    """Of the device; -1: it does not count."""
    arrival: int = Field(sa_type=BigInteger)
    """Number of the transaction that stored it; grows."""
    body: bytes
    """The fix as ``data.model.track_bytes`` packs it."""


class TrackChunkRow(SQLModel, table=True):
    """The fixes of one tracker in a quarter of an hour, packed."""

    __tablename__ = "track_chunk"
    __table_args__ = (
        Index("ix_track_chunk_vehicle", "region_id", "vehicle_id", "slot"),
        Index("ix_track_chunk_slot", "slot"),
    )
    tracker_no: int = Field(primary_key=True, foreign_key="tracker.tracker_no")
    slot: int = Field(primary_key=True)
    """Quarters of an hour since 1970."""
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    vehicle_id: str = Field(max_length=120)
    num: int
    data: bytes


class FollowerRow(SQLModel, table=True):
    """Who follows the vehicles, and how far; ``arrival`` is also the counter of what came in."""

    __tablename__ = "follower"
    follower_no: int = Field(
        primary_key=True, sa_type=SmallInteger, sa_column_kwargs={"autoincrement": False}
    )
    arrival: int = Field(default=0, sa_type=BigInteger)
    """The last number given to a transaction that stored fixes."""
    owner: str | None = Field(default=None, max_length=64)
    owned_until_at: datetime | None = None
    followed: int = Field(default=0, sa_type=BigInteger)
    """Everything up to this arrival has been followed."""
    revision: int = Field(default=0, sa_type=BigInteger)
    """Of the live state as a whole."""


class VehicleNowRow(SQLModel, table=True):
    """One row a vehicle: where it is and how it keeps its day."""

    __tablename__ = "vehicle_now"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    vehicle_id: str = Field(primary_key=True, max_length=120)
    service_date: date
    fix_us: int | None = Field(default=None, sa_type=BigInteger)
    sequence: int | None = Field(default=None, sa_type=BigInteger)
    fix: bytes | None = None
    device_id: str = Field(default="", max_length=100)
    received_at: datetime | None = None
    phase: str = Field(max_length=16)
    is_silent: bool = Field(default=False)
    here_visit_id: str | None = Field(default=None, max_length=36)
    next_visit_id: str | None = Field(default=None, max_length=36)
    delay_s: int | None = None
    departure_at: datetime | None = None
    return_at: datetime | None = None
    etas: list[Json] = Field(default_factory=list, sa_type=JSON)
    off_m: int | None = None
    at: datetime
    revision: int = Field(default=0, sa_type=BigInteger)


class StopActualRow(SQLModel, table=True):
    """What became of a stop visit; ``key`` is the lasting id of a planned one."""

    __tablename__ = "stop_actual"
    __table_args__ = (
        UniqueConstraint("region_id", "vehicle_id", "service_date", "key"),
        Index("ix_stop_actual_day", "region_id", "service_date"),
        Index("ix_stop_actual_visit", "visit_id"),
    )
    row_id: int | None = Field(default=None, primary_key=True)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    vehicle_id: str = Field(max_length=120)
    service_date: date
    key: str = Field(max_length=36)
    visit_id: str | None = Field(default=None, max_length=36)
    stop_id: str | None = Field(default=None, max_length=120)
    lon: float
    lat: float
    position: int | None = None
    state: str = Field(max_length=16)
    planned_arrival_at: datetime | None = None
    planned_open_at: datetime | None = None
    planned_close_at: datetime | None = None
    planned_departure_at: datetime | None = None
    actual_from_at: datetime | None = None
    actual_until_at: datetime | None = None
    arrival_dev_s: int | None = None
    departure_dev_s: int | None = None
    late_s: int = Field(default=0)
    short_s: int = Field(default=0)
    is_out_of_order: bool = Field(default=False)
    is_arrival_seen: bool = Field(default=True)
    is_departure_seen: bool = Field(default=True)
    source: str = Field(max_length=16)


class DayEndsRow(SQLModel, table=True):
    """When a vehicle left its depot and was back, and how far it drove."""

    __tablename__ = "day_ends"
    __table_args__ = (Index("ix_day_ends_day", "region_id", "service_date"),)
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    vehicle_id: str = Field(primary_key=True, max_length=120)
    service_date: date = Field(primary_key=True)
    departed_at: datetime | None = None
    returned_at: datetime | None = None
    driven_m: int = Field(default=0)
    unseen_m: int = Field(default=0)
    num_fixes: int = Field(default=0)
    tracker_id: str | None = Field(default=None, max_length=36)


class LegLineRow(SQLModel, table=True):
    """The way along the roads from one place to another; without points no road leads there."""

    __tablename__ = "leg_line"
    region_id: str = Field(primary_key=True, foreign_key="region.region_id", max_length=64)
    leg_key: str = Field(primary_key=True, max_length=32)
    """Digest of both ends, the vehicle's size and the roads that the plan was timed by."""
    roads_mark: str = Field(max_length=32)
    """Which file of roads the line was found in; another one makes it be found again."""
    points: bytes
    made_at: datetime = Field(index=True)


class AlertRow(SQLModel, table=True):
    """A warning to the dispatcher, from when it was true until it was not."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("ix_alert_open", "region_id", "ended_at"),
        Index("ix_alert_day", "region_id", "service_date"),
    )
    alert_id: str = Field(primary_key=True, max_length=36)
    region_id: str = Field(foreign_key="region.region_id", max_length=64)
    vehicle_id: str = Field(max_length=120)
    service_date: date
    kind: str = Field(max_length=24)
    key: str = Field(max_length=64)
    visit_id: str | None = Field(default=None, max_length=36)
    since_at: datetime
    raised_at: datetime
    facts: Json = Field(default_factory=dict, sa_type=JSON)
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = Field(default=None, max_length=36)
    note: str = Field(default="", max_length=500)
    ended_at: datetime | None = None
    revision: int = Field(default=0, sa_type=BigInteger)
