"""A client of SIP2: one connection, one question at a time, each asked again until it is answered.

An answer with a wrong sum is asked for again (97); no answer in time sends the question once more
under its own number, which a system that keeps to the protocol does not carry out twice. Whatever
still ends without an answer is doubtful, and only ``fleet.library.sip2_system`` may resolve that.

References
----------
3M Standard Interchange Protocol v2.00, "Error detection" and "Communications".
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from fleet.library import sip2_replies as replies
from fleet.library import sip2_requests as requests
from fleet.library.connection import Line
from fleet.library.sip2_requests import Terminal
from fleet.library.sip2_wire import MOST_BYTES, Frame, GarbledError, framed, unframed
from fleet.library.trouble import LibraryTroubleError, RefusedByLibraryError

log = logging.getLogger(__name__)

_ENDS = b"\r\n"
_BLANKS = b"\r\n\x00 "
TERMINATORS = {"cr": b"\r", "crlf": b"\r\n"}
_AGAIN = "96"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sip2Settings:
    """Where a system is and how it speaks.

    Parameters
    ----------
    login, password
        Of the terminal; no login: the system asks for none.
    terminator
        ``cr`` as the protocol says, or ``crlf`` as many systems want it.
    encoding
        Of texts: ``utf-8``, ``cp1251``, ``cp866``, ``cp850`` …
    has_checks
        Sequence numbers and checksums; without them nothing is asked again.
    no_block
        Tell of what happened aboard as done, where the system says that it takes that.
    """

    host: str
    port: int = 6001
    login: str = ""
    password: str = field(default="", repr=False)
    terminal: Terminal = field(default_factory=Terminal)
    terminator: str = "cr"
    encoding: str = "utf-8"
    has_checks: bool = True
    is_encrypted: bool = False
    timeout_s: float = 10.0
    retries: int = 3
    no_block: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.port < 65_536:
            raise ValueError(f"port {self.port}")
        if self.terminator not in TERMINATORS:
            raise ValueError(f"terminator {self.terminator!r}: one of {', '.join(TERMINATORS)}")
        if self.timeout_s <= 0 or self.retries < 0:
            raise ValueError(f"timeout of {self.timeout_s} s, {self.retries} retries")
        "".encode(self.encoding)


def _whole(kept: bytes) -> int:
    """How many bytes are a message with its end; ends before a message belong to the last one."""
    begin = len(kept) - len(kept.lstrip(_BLANKS))
    ends = [at for end in _ENDS if (at := kept.find(end, begin)) >= 0]
    return min(ends) + 1 if ends else 0


@dataclass(slots=True)
class Sip2Client:
    """Speaks with one system. Not for two threads at once."""

    settings: Sip2Settings
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    num_asked_again: int = 0
    system: replies.SystemStatus | None = None
    """What the system can do, once it was asked."""
    _sequence: int = 0
    _line: Line = field(init=False, repr=False)

    def __post_init__(self) -> None:
        told = self.settings
        self._line = Line(told.host, told.port, told.timeout_s, is_encrypted=told.is_encrypted)

    def close(self) -> None:
        """Let the connection go; the next question opens a new one."""
        self._line.close()

    def open(self) -> replies.SystemStatus:
        """Connect, sign in, and ask what the system can do.

        Raises
        ------
        LibraryTroubleError
            Where it is not reached or cannot be understood; nothing was told, so never doubtful.
        RefusedByLibraryError
            ``library.login_refused``, ``library.offline``
        """
        if self._line.is_open and self.system is not None and self._line.is_still_open():
            return self.system
        try:
            self._line.open()
            self._signed_in()
            self.system = replies.read_system(self._exchanged(requests.status(), {"98"}))
        except LibraryTroubleError as wrong:
            self.close()
            raise wrong.being(is_doubtful=False) from wrong
        except GarbledError as wrong:
            self.close()
            raise LibraryTroubleError(wrong.code) from wrong
        if not self.system.is_online:
            self.close()
            raise RefusedByLibraryError("library.offline", told=self.system.told)
        return self.system

    def _signed_in(self) -> None:
        told = self.settings
        if not told.login:
            return
        asked = requests.login(told.login, told.password, told.terminal.location)
        if not replies.read_login(self._exchanged(asked, {"94"})):
            self.close()
            raise RefusedByLibraryError("library.login_refused")

    def patron_status(self, card: str) -> replies.PatronReply:
        """Whether a reader may borrow (23)."""
        asked = requests.patron_status(self.settings.terminal, card, at=self.clock())
        return self._read(replies.read_patron, asked, {"24"})

    def patron(self, card: str) -> replies.PatronReply:
        """A reader and what they have on loan (63)."""
        asked = requests.patron_information(self.settings.terminal, card, at=self.clock())
        return self._read(replies.read_patron, asked, {"64"})

    def item(self, item_id: str) -> replies.ItemReply:
        """An item (17)."""
        asked = requests.item_information(self.settings.terminal, item_id, at=self.clock())
        return self._read(replies.read_item, asked, {"18"})

    def checkout(
        self,
        card: str,
        item_id: str,
        *,
        at: datetime,
        due_date: date | None = None,
        is_done: bool = False,
    ) -> replies.ActionReply:
        """Tell of a loan (11)."""
        asked = requests.checkout(
            self.settings.terminal, card, item_id, at=at, due_date=due_date, is_done=is_done
        )
        return self._acted(asked, "12", item_id)

    def checkin(self, item_id: str, *, at: datetime, is_done: bool = False) -> replies.ActionReply:
        """Tell of a return (09)."""
        asked = requests.checkin(self.settings.terminal, item_id, at=at, is_done=is_done)
        return self._acted(asked, "10", item_id)

    def renew(
        self,
        card: str,
        item_id: str,
        *,
        at: datetime,
        due_date: date | None = None,
        is_done: bool = False,
    ) -> replies.ActionReply:
        """Tell of a renewal (29)."""
        asked = requests.renew(
            self.settings.terminal, card, item_id, at=at, due_date=due_date, is_done=is_done
        )
        return self._acted(asked, "30", item_id)

    def hold(
        self,
        card: str,
        *,
        at: datetime,
        item_id: str = "",
        title_code: str = "",
        pickup: str = "",
        is_cancelled: bool = False,
    ) -> replies.ActionReply:
        """Place a hold or take it back (15)."""
        asked = requests.hold(
            self.settings.terminal,
            card,
            at=at,
            item_id=item_id,
            title_code=title_code,
            pickup=pickup,
            is_cancelled=is_cancelled,
        )
        return self._acted(asked, "16", "")

    def _acted(self, asked: str, code: str, item_id: str) -> replies.ActionReply:
        reply = self._read(replies.read_action, asked, {code})
        if item_id and reply.item_id.strip() and reply.item_id.strip() != item_id:
            # An answer of before that came late: nobody knows what became of this question.
            self.close()
            raise LibraryTroubleError("library.sip2_other_item", is_doubtful=True)
        return reply

    def _read[T](self, reader: Callable[[Frame], T], asked: str, codes: set[str]) -> T:
        self.open()
        frame = self._exchanged(asked, codes)
        try:
            return reader(frame)
        except GarbledError as wrong:
            self.close()
            raise LibraryTroubleError(wrong.code, is_doubtful=True) from wrong

    def _exchanged(self, asked: str, codes: set[str]) -> Frame:
        """Ask until there is a sound answer, or the retries are used up."""
        told, sequence = self.settings, self._sequence
        self._sequence = (sequence + 1) % 10
        raw = self._framed(asked, sequence)
        self._line.send(raw)
        tries, trouble = 0, LibraryTroubleError("library.slow", is_doubtful=True)
        while True:
            try:
                frame = self._answer(sequence, codes)
                if frame is not None:
                    return frame
                again, trouble = raw, LibraryTroubleError("library.sip2_again", is_doubtful=True)
            except GarbledError as wrong:
                trouble = LibraryTroubleError(wrong.code, is_doubtful=True)
                again = self._framed(requests.RESEND, None)
            except LibraryTroubleError as wrong:
                trouble, again = wrong, raw
                if not self._line.is_open:
                    raise
            tries += 1
            if tries > told.retries or not told.has_checks:
                self.close()
                raise trouble
            self.num_asked_again += 1
            log.info("asked again", extra={"why": trouble.code, "tries": tries})
            self._send_again(again)

    def _send_again(self, raw: bytes) -> None:
        try:
            self._line.send(raw)
        except LibraryTroubleError as wrong:
            # The first time it was sent whole: that may have been carried out.
            raise wrong.being(is_doubtful=True) from wrong

    def _answer(self, sequence: int, codes: set[str]) -> Frame | None:
        """The answer to the question of this number; ``None``: the system asks for it again."""
        while True:
            raw = self._line.read(_whole, MOST_BYTES)
            frame = unframed(raw.strip(_BLANKS), encoding=self.settings.encoding)
            if frame.code == _AGAIN:
                return None
            if self.settings.has_checks and not frame.is_checked:
                raise GarbledError("library.sip2_unchecked")
            if frame.sequence is not None and frame.sequence != sequence:
                continue  # late: the answer to a question of before
            if frame.code not in codes:
                raise GarbledError("library.sip2_unexpected")
            return frame

    def _framed(self, asked: str, sequence: int | None) -> bytes:
        told = self.settings
        raw = framed(asked, sequence=sequence, is_checked=told.has_checks, encoding=told.encoding)
        return raw + TERMINATORS[told.terminator]
