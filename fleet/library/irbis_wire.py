"""Packets of IRBIS64: lines of text, ours after their length, the server's until it closes.

References
----------
PythonIrbis (MIT) ``irbis/query.py``, ``irbis/response.py``, ``irbis/connection.py``; ManagedIrbis
(MIT) ``ReadRecordCommand.cs`` of its server; codes of errors and their words from
``irbis64_client.h`` (amironov73/irbis64_client).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from data.model.errors import InputError
from fleet.library.sip2_wire import GarbledError

ANSI, UTF = "cp1251", "utf-8"
DELIMITER = "\x1f\x1e"
"""Between the lines of a record that is sent."""
SHORT = "\x1e"
"""Between the lines of a record that was written, in the answer."""
MOST_BYTES = 16 * 1024 * 1024
_NUM_HEAD = 10

REGISTER, UNREGISTER, READ, WRITE, SEARCH, NOTHING = "A", "B", "C", "D", "K", "N"
CIRCULATION = "B"
"""The workstation "Книговыдача"."""

VERSION_ERROR = -608
ALREADY_REGISTERED = -3337
BUSY = frozenset({-2, -300, -602, -6666})
"""Not done, and not for good: busy, base or record locked, too many clients at once."""
NOT_REGISTERED = frozenset({-3333, -3334, -3335})
NOT_ALLOWED = frozenset({-3336, -3338, -4444})
NOT_THERE = frozenset({-140, -201, -600, -603, -605})
WORDS = {
    -1: "прервано пользователем или общая ошибка",
    -2: "не завершена обработка предыдущего запроса",
    -140: "заданный MFN вне пределов БД",
    -300: "монопольная блокировка БД",
    -602: "запись заблокирована на ввод",
    -603: "запись логически удалена",
    -605: "запись физически удалена",
    -608: "при записи обнаружено несоответствие версий",
    -999: "ошибка в формате",
    -1111: "ошибка выполнения на сервере",
    -1112: "несоответствие полученной и реальной длины",
    -2222: "ошибка протокола",
    -3333: "незарегистрированный клиент",
    -3334: "клиент не зарегистрировался",
    -3335: "неправильный уникальный идентификатор",
    -3336: "зарегистрировано максимально допустимое количество клиентов",
    -3337: "клиент уже зарегистрирован",
    -3338: "нет доступа к командам АРМа",
    -4444: "неверный пароль",
    -5555: "файл не существует",
    -6666: "сервер перегружен",
    -7777: "не удалось запустить или прервать поток",
    -8888: "глобальная корректировка обрушилась",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who asks; the numbers come back in the answer."""

    client_id: int
    query_id: int
    login: str
    password: str = field(repr=False)
    workstation: str = CIRCULATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The server's answer: a code, then lines as bytes."""

    code: int
    lines: tuple[bytes, ...]
    version: str = ""

    @property
    def told(self) -> str:
        """The code with the words that IRBIS has for it."""
        return f"{self.code}: {WORDS[self.code]}" if self.code in WORDS else str(self.code)

    def texts(self) -> list[str]:
        """The lines as UTF-8.

        Raises
        ------
        GarbledError
            ``library.irbis_garbled``
        """
        try:
            return [line.decode(UTF) for line in self.lines]
        except UnicodeDecodeError:
            raise GarbledError("library.irbis_garbled") from None


def packet(command: str, session: Session, lines: Iterable[tuple[str, str]] = ()) -> bytes:
    """A request.

    Parameters
    ----------
    lines
        Texts with their encodings.

    Raises
    ------
    InputError
        ``library.not_in_encoding``, ``library.bad_for_irbis``
    """
    head = (
        command,
        session.workstation,
        command,
        str(session.client_id),
        str(session.query_id),
        session.password,
        session.login,
        "",
        "",
        "",
    )
    raw = b"".join(_line(text, encoding) for text, encoding in (*((t, ANSI) for t in head), *lines))
    return f"{len(raw)}\n".encode() + raw


def _line(text: str, encoding: str) -> bytes:
    if "\n" in text or "\r" in text:
        raise InputError("library.bad_for_irbis", field="line", value=text[:80])
    try:
        return text.encode(encoding) + b"\n"
    except UnicodeEncodeError as wrong:
        bad = text[wrong.start : wrong.end]
        raise InputError("library.not_in_encoding", value=bad, encoding=encoding) from wrong


def read_reply(raw: bytes, command: str, session: Session) -> Reply:
    """An answer taken apart.

    Raises
    ------
    GarbledError
        ``library.irbis_garbled``, ``library.irbis_cut_off`` or ``library.irbis_other_answer``.
    """
    if len(raw) > MOST_BYTES:
        raise GarbledError("library.irbis_garbled")
    parts = raw.split(b"\r\n")
    if len(parts) < _NUM_HEAD + 1:
        raise GarbledError("library.irbis_cut_off")
    if parts[0].decode(ANSI, "replace").strip() != command:
        raise GarbledError("library.irbis_other_answer")
    if (_number(parts[1]), _number(parts[2])) != (session.client_id, session.query_id):
        raise GarbledError("library.irbis_other_answer")
    length = parts[3].strip()
    if length.isdigit() and len(length) < 10 and int(length) > len(raw):
        raise GarbledError("library.irbis_cut_off")
    code = _number(parts[_NUM_HEAD])
    if code is None:
        raise GarbledError("library.irbis_garbled")
    if command == READ and code >= 0 and not raw.endswith(b"\r\n"):
        # A record cut off must never be taken for a whole one: it would be written back so.
        raise GarbledError("library.irbis_cut_off")
    return Reply(
        code=code,
        lines=tuple(parts[_NUM_HEAD + 1 :]),
        version=parts[4].decode(ANSI, "replace")[:40],
    )


def _number(raw: bytes) -> int | None:
    text = raw.strip().decode("ascii", "replace")
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 12
    return int(text) if is_number else None
