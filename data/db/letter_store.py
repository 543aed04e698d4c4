"""Letters to residents, as they are stored: who is told about which stop, and the box."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, and_, col, delete, exists, func, or_, select, update

from data.db import outbox
from data.db.publication_store import notice_of
from data.db.tables.letters import LetterRow, SubscriptionRow
from data.db.tables.publication import NoticeRow, StopVisitRow
from data.db.tables.regions import RegionRow
from data.db.turns import take_turn
from data.model.cancellation import RESTORED, Notice
from data.model.letters import (
    GONE_DAYS,
    KEEP_DAYS,
    LetterKind,
    LetterState,
    OutLetter,
    Subscription,
)

_MOST_IDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFigures:
    """What a desk is told of the letters of its region: numbers, never an address."""

    num_by_stop: Mapping[str, int]
    """Confirmed readers of each stop."""
    num_unconfirmed: int
    num_waiting: int
    num_failing: int
    """Of those that wait, the ones that were tried in vain."""
    num_failed: int
    num_sent: int
    oldest_at: datetime | None
    """When the letter was written that waits longest."""
    last_code: str = ""
    last_cause: str = ""


def same_reader(
    session: Session, region_id: str, stop_id: str, address: str
) -> Subscription | None:
    """What an address has asked for at a stop; whoever asks waits for others who do."""
    take_turn(session, f"subscription {region_id}")
    row = session.exec(
        select(SubscriptionRow).where(
            SubscriptionRow.region_id == region_id,
            SubscriptionRow.stop_id == stop_id,
            SubscriptionRow.address_key == address.casefold(),
        )
    ).first()
    return None if row is None else _subscription(row)


def count_of_address(session: Session, region_id: str, address: str) -> int:
    """About how many stops an address is told, or asked."""
    return _count(
        session,
        SubscriptionRow.region_id == region_id,
        SubscriptionRow.address_key == address.casefold(),
    )


def count_unconfirmed(session: Session, region_id: str) -> int:
    """How many wait for the owners of their addresses."""
    return _count(
        session, SubscriptionRow.region_id == region_id, col(SubscriptionRow.confirmed_at).is_(None)
    )


def put_subscription(session: Session, one: Subscription) -> None:
    """Store what somebody asks for, or what has become of it."""
    row = session.get(SubscriptionRow, one.subscription_id)
    values = asdict(one) | {"address_key": one.address.casefold()}
    if row is None:
        session.add(SubscriptionRow(**values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()


def find_subscription(session: Session, subscription_id: str) -> Subscription | None:
    """What somebody asked for, by its id."""
    row = session.get(SubscriptionRow, subscription_id)
    return None if row is None else _subscription(row)


def readers_of(
    session: Session, region_id: str, stop_ids: Collection[str], *, reminded: bool = False
) -> tuple[Subscription, ...]:
    """Confirmed readers of some stops; with ``reminded`` those who want to be reminded alone."""
    found: list[Subscription] = []
    ids = sorted(set(stop_ids))
    for start in range(0, len(ids), _MOST_IDS):
        asked = select(SubscriptionRow).where(
            SubscriptionRow.region_id == region_id,
            col(SubscriptionRow.stop_id).in_(ids[start : start + _MOST_IDS]),
            col(SubscriptionRow.confirmed_at).is_not(None),
        )
        if reminded:
            asked = asked.where(col(SubscriptionRow.wants_reminder).is_(True))
        found += map(_subscription, session.exec(asked))
    return tuple(found)


def reminded_stops(session: Session) -> dict[str, set[str]]:
    """Stops of each open region of whose visits somebody wants to be reminded."""
    asked = (
        select(SubscriptionRow.region_id, SubscriptionRow.stop_id)
        .join(RegionRow, col(RegionRow.region_id) == SubscriptionRow.region_id)
        .where(
            col(RegionRow.closed_at).is_(None),
            col(SubscriptionRow.wants_reminder).is_(True),
            col(SubscriptionRow.confirmed_at).is_not(None),
        )
        .distinct()
    )
    found: dict[str, set[str]] = {}
    for region_id, stop_id in session.exec(asked):
        found.setdefault(region_id, set()).add(stop_id)
    return found


def of_address(session: Session, region_id: str, address: str) -> tuple[Subscription, ...]:
    """Everything that an address has asked for in a region."""
    asked = select(SubscriptionRow).where(
        SubscriptionRow.region_id == region_id, SubscriptionRow.address_key == address.casefold()
    )
    return tuple(map(_subscription, session.exec(asked)))


def erase_subscriptions(session: Session, ids: Iterable[str]) -> int:
    """Erase addresses with all their letters; how many there were."""
    num = 0
    for subscription_id in ids:
        session.exec(delete(LetterRow).where(col(LetterRow.subscription_id) == subscription_id))
        gone = delete(SubscriptionRow).where(
            col(SubscriptionRow.subscription_id) == subscription_id
        )
        num += int(session.exec(gone).rowcount)
    session.flush()
    return num


def erase_old(session: Session, now: datetime) -> int:
    """Erase addresses of no use, with old letters; how many addresses.

    Of no use are those that nobody confirmed in time, and those of stops that have not been
    visited for long.
    """
    unconfirmed = and_(
        col(SubscriptionRow.confirmed_at).is_(None), col(SubscriptionRow.expires_at) < now
    )
    gone = now - timedelta(days=GONE_DAYS)
    is_visited = exists().where(
        col(StopVisitRow.region_id) == SubscriptionRow.region_id,
        col(StopVisitRow.stop_id) == SubscriptionRow.stop_id,
        col(StopVisitRow.service_date) >= gone.date(),
    )
    is_gone = and_(col(SubscriptionRow.created_at) < gone, ~is_visited)
    late = session.exec(
        select(SubscriptionRow.subscription_id).where(or_(unconfirmed, is_gone))
    ).all()
    num = erase_subscriptions(session, late)
    old = now - timedelta(days=KEEP_DAYS)
    session.exec(
        delete(LetterRow).where(
            col(LetterRow.state) != LetterState.WAITING.value, col(LetterRow.created_at) < old
        )
    )
    return num


def add_letters(session: Session, letters: Iterable[OutLetter]) -> int:
    """Put letters into the box; of one change nobody gets a second. Gives how many are new."""
    wanted = {one.mark: one for one in letters}
    if not wanted:
        return 0
    for mark in known_marks(session, list(wanted)):
        wanted.pop(mark)
    session.add_all(
        LetterRow(
            **asdict(one)
            | {"kind": one.kind.value, "state": one.state.value, "facts": dict(one.facts)}
        )
        for one in wanted.values()
    )
    session.flush()
    return len(wanted)


def known_marks(session: Session, marks: Sequence[str]) -> frozenset[str]:
    """Those of some changes of which readers were told, or are about to be."""
    found: set[str] = set()
    for start in range(0, len(marks), _MOST_IDS):
        part = marks[start : start + _MOST_IDS]
        found.update(session.exec(select(LetterRow.mark).where(col(LetterRow.mark).in_(part))))
    return frozenset(found)


def notices_for_hook(session: Session, since: datetime) -> tuple[tuple[Notice, bool], ...]:
    """Notices made or withdrawn of late, and whether another program was told of each.

    That something takes place after all is told with the notice that no longer holds.
    """
    asked = (
        select(NoticeRow)
        .join(RegionRow, col(RegionRow.region_id) == NoticeRow.region_id)
        .where(
            or_(col(NoticeRow.created_at) >= since, col(NoticeRow.withdrawn_at) >= since),
            col(NoticeRow.code) != RESTORED,
            col(RegionRow.closed_at).is_(None),
        )
    )
    rows = session.exec(asked).all()
    marks = {row.notice_id: f"hook:notice:{row.notice_id}" for row in rows}
    told = known_marks(session, list(marks.values()))
    done = known_marks(session, [f"hook:withdrawn:{row.notice_id}" for row in rows])
    return tuple(
        (notice_of(row), marks[row.notice_id] in told)
        for row in rows
        if f"hook:withdrawn:{row.notice_id}" not in done
    )


def take_back(
    session: Session, notice_ids: Collection[str], now: datetime
) -> dict[str, tuple[str, ...]]:
    """Drop letters of notices that were not begun; by notice, the readers whose letter is out."""
    told: dict[str, tuple[str, ...]] = {}
    for notice_id in notice_ids:
        is_free = or_(
            col(LetterRow.claimed_until_at).is_(None), col(LetterRow.claimed_until_at) < now
        )
        session.exec(
            update(LetterRow)
            .where(
                col(LetterRow.notice_id) == notice_id,
                col(LetterRow.state) == LetterState.WAITING.value,
                is_free,
            )
            .values(state=LetterState.DROPPED.value, ended_at=now)
            .execution_options(synchronize_session=False)
        )
        out = select(LetterRow.subscription_id).where(
            LetterRow.notice_id == notice_id,
            col(LetterRow.state).in_([LetterState.SENT.value, LetterState.WAITING.value]),
            col(LetterRow.subscription_id).is_not(None),
        )
        told[notice_id] = tuple(str(i) for i in session.exec(out) if i is not None)
    return told


def has_due(session: Session, now: datetime) -> bool:
    """Whether any letter is to be tried."""
    return outbox.has_due(session, LetterRow, now)


def claim_letter(
    session: Session, now: datetime, lasts: timedelta, *, is_hook: bool
) -> OutLetter | None:
    """The letter that has been due longest, for whoever asks alone; ``None`` where none is.

    Those to another program and those by mail wait apart: one may be away while the other is not.
    """
    way = (col(LetterRow.kind) == LetterKind.HOOK.value) == is_hook
    row = outbox.claim_due(session, LetterRow, now, lasts, way)
    return None if row is None else _letter(row)


def end_letter(session: Session, letter: OutLetter) -> None:
    """Write down what became of a try; a letter whose reader left meanwhile is forgotten."""
    row = session.get(LetterRow, letter.letter_id)
    if row is None:
        return
    for name in ("tries", "due_at", "ended_at", "code", "cause"):
        setattr(row, name, getattr(letter, name))
    row.state, row.claimed_until_at = letter.state.value, None
    session.flush()


def note_refusal(session: Session, subscription_id: str, *, is_refused: bool) -> int:
    """Count that an address refused a letter, or begin anew where it took one; the count."""
    row = session.get(SubscriptionRow, subscription_id)
    if row is None:
        return 0
    row.num_refused = row.num_refused + 1 if is_refused else 0
    session.flush()
    return row.num_refused


def try_all_again(session: Session, region_id: str, now: datetime) -> int:
    """Have every letter that waits, or failed and is still of use, tried at once; how many."""
    done = session.exec(
        update(LetterRow)
        .where(
            col(LetterRow.region_id) == region_id,
            col(LetterRow.state).in_([LetterState.WAITING.value, LetterState.FAILED.value]),
            col(LetterRow.until_at) > now,
        )
        .values(state=LetterState.WAITING.value, due_at=now, ended_at=None)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)


def letter_figures(session: Session, region_id: str, *, since: datetime) -> LetterFigures:
    """Numbers of a region: readers by stop, and letters; those that ended, from a time on."""
    readers = session.exec(
        select(SubscriptionRow.stop_id, func.count())
        .where(
            SubscriptionRow.region_id == region_id, col(SubscriptionRow.confirmed_at).is_not(None)
        )
        .group_by(col(SubscriptionRow.stop_id))
    )
    own = LetterRow.region_id == region_id
    waits = LetterRow.state == LetterState.WAITING.value
    ended = dict(
        session.exec(
            select(LetterRow.state, func.count())
            .where(own, col(LetterRow.ended_at) >= since)
            .group_by(col(LetterRow.state))
        ).all()
    )
    num_waiting, oldest_at = session.exec(
        select(func.count(), func.min(LetterRow.created_at)).where(own, waits)
    ).one()
    failing = select(func.count()).where(own, waits, col(LetterRow.code) != "")
    last = session.exec(
        select(LetterRow.code, LetterRow.cause)
        .where(own, col(LetterRow.code) != "")
        .where(or_(waits, col(LetterRow.ended_at) >= since))
        .order_by(col(LetterRow.due_at).desc(), col(LetterRow.letter_id))
        .limit(1)
    ).first()
    return LetterFigures(
        num_by_stop=dict(readers.all()),
        num_unconfirmed=count_unconfirmed(session, region_id),
        num_waiting=num_waiting,
        num_failing=session.exec(failing).one(),
        num_failed=ended.get(LetterState.FAILED.value, 0),
        num_sent=ended.get(LetterState.SENT.value, 0),
        oldest_at=oldest_at,
        last_code="" if last is None else last[0],
        last_cause="" if last is None else last[1],
    )


def _count(session: Session, *where: object) -> int:
    return int(session.exec(select(func.count()).where(*where)).one())  # type: ignore[arg-type]


def _subscription(row: SubscriptionRow) -> Subscription:
    return Subscription(**{n: getattr(row, n) for n in Subscription.__dataclass_fields__})


def _letter(row: LetterRow) -> OutLetter:
    values = {n: getattr(row, n) for n in OutLetter.__dataclass_fields__}
    told = {"kind": LetterKind(row.kind), "state": LetterState(row.state), "facts": dict(row.facts)}
    return OutLetter(**values | told)
