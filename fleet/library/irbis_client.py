"""A client of the IRBIS64 server: a connection for each question, as its protocol has it.

Reading is asked again when an answer is late, lost or garbled. Writing is not: whether it was done
is doubtful then, and the mark in the record tells (``fleet.library.irbis_ledger``). The server
compares versions of records, so that nobody's change is written over.
"""

import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from data.feeds.irbis_record import IrbisRecord, read_record_lines, record_lines
from data.model.errors import InputError
from fleet.library import irbis_wire as wire
from fleet.library.connection import Line
from fleet.library.irbis_wire import ANSI, UTF, Reply, Session
from fleet.library.sip2_wire import GarbledError
from fleet.library.trouble import LibraryTroubleError, RefusedByLibraryError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IrbisSettings:
    """Where the server is and how its bases are searched.

    Parameters
    ----------
    readers, catalogue
        Names of the bases.
    reader_prefix, item_prefix
        Of the dictionaries: readers by card, books by barcode or inventory number. Libraries change
        them; ``bookmobile library-system check`` shows whether they find anything.
    loan_prefix
        Of the readers' dictionary, by the copy that somebody has, where a library keeps one.
    """

    host: str
    port: int = 6666
    login: str = ""
    password: str = field(default="", repr=False)
    readers: str = "RDR"
    catalogue: str = "IBIS"
    reader_prefix: str = "RI="
    item_prefix: str = "IN="
    loan_prefix: str = ""
    timeout_s: float = 20.0
    retries: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.port < 65_536:
            raise ValueError(f"port {self.port}")
        if self.timeout_s <= 0 or self.retries < 0:
            raise ValueError(f"timeout of {self.timeout_s} s, {self.retries} retries")


class StaleRecordError(Exception):
    """The record has changed since it was read."""


@dataclass(slots=True)
class IrbisClient:
    """Speaks with one server. Not for two threads at once.

    Parameters
    ----------
    new_id
        Gives numbers for the client's registration.
    """

    settings: IrbisSettings
    new_id: Callable[[], int] = lambda: random.randint(100_000, 999_999)
    version: str = ""
    _client_id: int = 0
    _query_id: int = 0

    @property
    def is_registered(self) -> bool:
        return self._client_id > 0

    def register(self) -> str:
        """Sign in; gives the server's version.

        Raises
        ------
        LibraryTroubleError
            Never doubtful: nothing was told.
        RefusedByLibraryError
            ``library.login_refused``
        """
        for _ in range(5):
            self._client_id, self._query_id = self.new_id(), 0
            try:
                lines = ((self.settings.login, ANSI), (self.settings.password, ANSI))
                reply = self._asked(wire.REGISTER, lines)
            except LibraryTroubleError as wrong:
                self._client_id = 0
                raise wrong.being(is_doubtful=False) from wrong
            if reply.code != wire.ALREADY_REGISTERED:
                break
        if reply.code < 0:
            self._client_id = 0
            if reply.code in wire.BUSY:
                raise LibraryTroubleError("library.irbis_busy", told=reply.told)
            raise RefusedByLibraryError("library.login_refused", told=reply.told)
        self.version = reply.version
        return reply.version

    def unregister(self) -> None:
        """Sign out; the number of clients is limited. A server that is gone is let go."""
        if not self.is_registered:
            return
        try:
            self._asked(wire.UNREGISTER, ((self.settings.login, ANSI),))
        except LibraryTroubleError:
            log.info("server gone before signing out")
        self._client_id = 0

    def search(self, database: str, prefix: str, value: str, *, most: int = 10) -> tuple[int, ...]:
        """Numbers of the records under a term of the dictionary."""
        if '"' in value:
            raise InputError("library.bad_for_irbis", field="search", value=value)
        lines = (
            (database, ANSI),
            (f'"{prefix}{value}"', UTF),
            (str(most), ANSI),
            ("1", ANSI),
            ("", ANSI),
            ("0", ANSI),
            ("0", ANSI),
            ("", ANSI),
        )
        reply = self._read(wire.SEARCH, lines)
        count, *found = [line.split("#")[0].strip() for line in _texts(reply)] or [""]
        numbers = tuple(int(mfn) for mfn in found if mfn.isascii() and mfn.isdigit())
        if not count.isascii() or not count.isdigit() or len(numbers) != min(int(count), most):
            raise LibraryTroubleError("library.irbis_cut_off")
        return numbers

    def record(self, database: str, mfn: int) -> IrbisRecord | None:
        """A record, read twice: a server ends its answer by closing, as does one that breaks down.

        ``None`` where it is deleted or not there.
        """
        first, second = self._record(database, mfn), self._record(database, mfn)
        if first == second:
            return first
        third = self._record(database, mfn)
        if third not in (first, second):
            raise LibraryTroubleError("library.irbis_cut_off")
        return third

    def _record(self, database: str, mfn: int) -> IrbisRecord | None:
        reply = self._read(wire.READ, ((database, ANSI), (str(mfn), ANSI)))
        if reply.code in wire.NOT_THERE:
            return None
        self._needed(reply)
        try:
            found = read_record_lines(_texts(reply))
        except InputError as wrong:
            raise LibraryTroubleError("library.irbis_garbled") from wrong
        if found.mfn != mfn:
            raise LibraryTroubleError("library.irbis_other_answer")
        return found

    def write(self, database: str, record: IrbisRecord) -> None:
        """Write a record, new or changed.

        Raises
        ------
        StaleRecordError
            It has changed since it was read; nothing was written.
        LibraryTroubleError
            Doubtful where no answer came that can be read.
        RefusedByLibraryError
            ``library.irbis_refused``; nothing was written.
        """
        self._signed_in()
        text = wire.DELIMITER.join(record_lines(record))
        lines = ((database, ANSI), ("0", ANSI), ("1", ANSI), (text, UTF))
        reply = self._asked(wire.WRITE, lines)
        if reply.code in wire.NOT_REGISTERED:
            self.register()
            reply = self._asked(wire.WRITE, lines)
        if reply.code == wire.VERSION_ERROR:
            raise StaleRecordError
        self._needed(reply)

    def _needed(self, reply: Reply) -> None:
        if reply.code >= 0:
            return
        if reply.code in wire.NOT_REGISTERED:
            # Forgotten again while we asked: sign in anew the next time.
            self._client_id = 0
        if reply.code in wire.BUSY | wire.NOT_REGISTERED:
            raise LibraryTroubleError("library.irbis_busy", told=reply.told)
        code = "login_refused" if reply.code in wire.NOT_ALLOWED else "irbis_refused"
        raise RefusedByLibraryError(f"library.{code}", told=reply.told)

    def _read(self, command: str, lines: Iterable[tuple[str, str]]) -> Reply:
        """Ask what changes nothing, again where there is no answer."""
        self._signed_in()
        asked = tuple(lines)
        for num_left in range(self.settings.retries, -1, -1):
            try:
                reply = self._asked(command, asked)
            except LibraryTroubleError as wrong:
                if not num_left:
                    raise wrong.being(is_doubtful=False) from wrong
                log.info("asked again", extra={"why": wrong.code, "left": num_left})
                continue
            if reply.code in wire.NOT_REGISTERED and num_left:
                self.register()
                continue
            if reply.code not in wire.NOT_THERE:
                self._needed(reply)
            return reply
        raise AssertionError("the last try gives or raises")

    def _signed_in(self) -> None:
        if not self.is_registered:
            self.register()

    def _asked(self, command: str, lines: Iterable[tuple[str, str]]) -> Reply:
        self._query_id += 1
        session = Session(
            client_id=self._client_id,
            query_id=self._query_id,
            login=self.settings.login,
            password=self.settings.password,
        )
        raw = wire.packet(command, session, lines)
        line = Line(self.settings.host, self.settings.port, self.settings.timeout_s)
        line.open()
        try:
            line.send(raw)
            return wire.read_reply(line.read_all(wire.MOST_BYTES), command, session)
        except GarbledError as wrong:
            raise LibraryTroubleError(wrong.code, is_doubtful=True) from wrong
        finally:
            line.close()


def _texts(reply: Reply) -> list[str]:
    try:
        return reply.texts()
    except GarbledError as wrong:
        raise LibraryTroubleError(wrong.code) from wrong
