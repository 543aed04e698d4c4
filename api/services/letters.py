"""Residents are told about a stop by e-mail: asked for, confirmed, changed, ended, by links alone.

A link holds the id of what was asked for, the time until which it is good (0: always) and a
signature by that request's own key. Whoever asks learns nothing of an address: the answer is the
same whether it was known, new or asked too often.
"""

import hashlib
import hmac
import secrets
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from api.limiter import Limit, Limiter, network_of
from api.setting_variables import Environment
from api.settings import Settings
from api.state import Service
from data.db import audit_store, letter_store
from data.db.engine import writing
from data.model.accounts import Caller
from data.model.errors import AccessError, InputError, NotFoundError, RequestError
from data.model.letters import (
    ASK_AGAIN,
    CONFIRM_DAYS,
    MOST_OF_ADDRESS,
    MOST_WAITING,
    LetterKind,
    OutLetter,
    Subscription,
    mail_address,
)
from data.model.place import StopId

CONFIRM, MANAGE = "confirm", "manage"
_SIGNATURE_CHARS = 32
LATELY = timedelta(days=7)
"""So far back the desk counts letters that ended."""


def sends_letters(settings: Settings) -> bool:
    """Whether a letter would reach anybody; a service to try out keeps them as files."""
    return settings.smtp_url is not None or settings.environment is not Environment.PRODUCTION


def token_of(one: Subscription, purpose: str) -> str:
    """What stands in a link: id, last second, signature."""
    until_s = 0
    if purpose == CONFIRM and one.expires_at is not None:
        until_s = int(one.expires_at.timestamp())
    return f"{one.subscription_id}.{until_s}.{_signature(one, purpose, until_s)}"


def _signature(one: Subscription, purpose: str, until_s: int) -> str:
    told = f"{purpose} {one.subscription_id} {until_s}".encode()
    made = hmac.new(one.key.encode(), told, hashlib.sha256).digest()
    return urlsafe_b64encode(made).decode()[:_SIGNATURE_CHARS]


def subscription_of(
    session: Session, region_id: str, token: str, purpose: str, *, at: datetime
) -> Subscription:
    """Whose link it is.

    Raises
    ------
    NotFoundError
        ``letters.no_link`` where nobody's, ``letters.late_link`` where its time is over.
    """
    parts = token.split(".")
    if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdigit()) or len(parts[1]) > 12:
        raise NotFoundError("letters.no_link")
    one = letter_store.find_subscription(session, parts[0][:36])
    until_s = int(parts[1])
    if one is None or one.region_id != region_id:
        raise NotFoundError("letters.no_link")
    if not hmac.compare_digest(parts[2].encode(), _signature(one, purpose, until_s).encode()):
        raise NotFoundError("letters.no_link")
    if until_s and at.timestamp() > until_s and not one.is_confirmed:
        raise NotFoundError("letters.late_link", days=CONFIRM_DAYS)
    return one


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for on the page of a stop."""

    region_id: str
    stop_id: StopId
    address: str
    language: str
    wants_reminder: bool = False


def take_wish(service: Service, wish: Wish, *, caller: str) -> None:
    """Take what somebody on the network asks for, by a page or by a program.

    Parameters
    ----------
    caller
        Address of the network that it came from.

    Raises
    ------
    AccessError
        ``access.too_many``.
    NotFoundError
        ``letters.no_mail`` where no letter would reach anybody.
    InputError, RequestError
        As ``ask_for_letters``.
    """
    service.limiter.check(Limit.LETTERS, network_of(caller))
    service.limiter.check(Limit.LETTERS_ANYWHERE, wish.region_id)
    if not sends_letters(service.settings):
        raise NotFoundError("letters.no_mail")
    with writing(service.engine) as session:
        ask_for_letters(session, wish, service.limiter, at=service.clock())


def ask_for_letters(session: Session, wish: Wish, limiter: Limiter, *, at: datetime) -> None:
    """Take a wish to be told about a stop: its address is written to, if anything is to be said.

    Raises
    ------
    InputError
        ``letters.bad_address``.
    RequestError
        ``letters.too_many`` where too many wait in the whole region.
    """
    address = mail_address(wish.address)
    known = letter_store.same_reader(session, wish.region_id, wish.stop_id, address)
    if known is not None and at - known.asked_at < ASK_AGAIN:
        return
    try:
        hashed = hashlib.sha256(address.casefold().encode()).hexdigest()
        limiter.check(Limit.LETTERS_ADDRESS, hashed)
    except AccessError:
        # Not a word of it: how often an address was asked is nobody else's business.
        return
    if known is not None and known.is_confirmed:
        again = replace(known, asked_at=at)
        letter_store.put_subscription(session, again)
        _write(session, again, LetterKind.KNOWN, at)
        return
    if known is None:
        if letter_store.count_unconfirmed(session, wish.region_id) >= MOST_WAITING:
            raise RequestError("letters.too_many", limit=MOST_WAITING)
        if letter_store.count_of_address(session, wish.region_id, address) >= MOST_OF_ADDRESS:
            return
    asked = Subscription(
        subscription_id=uuid.uuid4().hex if known is None else known.subscription_id,
        region_id=wish.region_id,
        stop_id=wish.stop_id,
        address=address,
        language=wish.language,
        wants_reminder=wish.wants_reminder,
        key=secrets.token_urlsafe(32) if known is None else known.key,
        created_at=at if known is None else known.created_at,
        asked_at=at,
        expires_at=at + timedelta(days=CONFIRM_DAYS),
    )
    letter_store.put_subscription(session, asked)
    _write(session, asked, LetterKind.CONFIRM, at)


def _write(session: Session, one: Subscription, kind: LetterKind, at: datetime) -> None:
    letter = OutLetter(
        letter_id=uuid.uuid4().hex,
        region_id=one.region_id,
        kind=kind,
        mark=f"{one.subscription_id}:{kind.value}:{int(at.timestamp())}",
        subscription_id=one.subscription_id,
        created_at=at,
        due_at=at,
        until_at=one.expires_at or at + timedelta(days=CONFIRM_DAYS),
    )
    letter_store.add_letters(session, [letter])


def confirm(session: Session, region_id: str, token: str, *, at: datetime) -> Subscription:
    """The owner of an address says yes; saying it twice is saying it once.

    Raises
    ------
    NotFoundError
        As ``subscription_of``.
    """
    one = subscription_of(session, region_id, token, CONFIRM, at=at)
    if one.is_confirmed:
        return one
    confirmed = replace(one, confirmed_at=at, expires_at=None, num_refused=0)
    letter_store.put_subscription(session, confirmed)
    return confirmed


def remind(
    session: Session, region_id: str, token: str, *, wants_reminder: bool, at: datetime
) -> Subscription:
    """Be reminded the day before, or not.

    Raises
    ------
    NotFoundError
        As ``subscription_of``.
    """
    one = subscription_of(session, region_id, token, MANAGE, at=at)
    changed = replace(one, wants_reminder=wants_reminder)
    letter_store.put_subscription(session, changed)
    return changed


def end(
    session: Session, region_id: str, token: str, *, everywhere: bool = False, at: datetime
) -> int:
    """Write no more about a stop, or with ``everywhere`` about any; the address is erased.

    Raises
    ------
    NotFoundError
        As ``subscription_of``.
    """
    one = subscription_of(session, region_id, token, MANAGE, at=at)
    own = letter_store.of_address(session, region_id, one.address) if everywhere else (one,)
    return letter_store.erase_subscriptions(session, (o.subscription_id for o in own))


def send_at_once(session: Session, region_id: str, *, by: Caller, at: datetime) -> int:
    """Have what waits, or failed and is still of use, tried at once; how many letters."""
    num = letter_store.try_all_again(session, region_id, at)
    audit_store.record(session, by, "letters.again", region_id, region_id=region_id, num=num)
    return num


def answer_address(contact: str) -> str | None:
    """The e-mail address that a contact is; ``None`` where it is anything else."""
    try:
        return mail_address(contact)
    except InputError:
        return None
