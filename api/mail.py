"""E-mail: by the server that the settings name; without one, as files to be sent by hand."""

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from api.settings import Settings
from data.model.errors import StoreError
from data.model.letters import without_addresses

OUTBOX = "outbox"
"""Folder of the service's data where letters are kept when no server sends them."""
PATIENCE_S = 30.0
CAUSE_MAX = 300
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_FOR_GOOD = 500
"""From this answer on a server says that trying again is of no use (RFC 5321, 4.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a letter."""

    name: str
    media: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter; who gets one ``letter_id`` twice can tell that it is the same."""

    letter_id: str
    recipient: str
    subject: str
    text: str
    html: str = ""
    """The same for those whose program shows it; empty: text alone."""
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


class NotSentError(StoreError):
    """A letter was not taken; it says whether another try, or another letter, is of use.

    Parameters
    ----------
    is_refused
        The server refused this letter for good.
    is_unknown
        It did so because of the recipient's address.
    is_down
        No server was reached, or it took nothing at all: the next letter would not go either.
    """

    def __init__(
        self,
        *,
        server: str,
        cause: str,
        is_refused: bool = False,
        is_unknown: bool = False,
        is_down: bool = False,
    ) -> None:
        cause = without_addresses(cause)[:CAUSE_MAX]
        super().__init__("mail.not_sent", server=server, cause=cause)
        self.cause = cause
        self.is_refused = is_refused
        self.is_unknown = is_unknown
        self.is_down = is_down


class Mailer:
    """Sends letters one after another over one connection, opened when the first is sent."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: smtplib.SMTP | None = None
        parts = urlsplit(settings.smtp_url or "")
        self._server = f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 0)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        wrong: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()

    def send(self, letter: Letter, *, at: datetime) -> Path | None:
        """Hand a letter to the server; gives the file where there is none and it is kept.

        Raises
        ------
        NotSentError
            ``mail.not_sent`` with the server and what it said.
        StoreError
            ``mail.not_kept``.
        """
        message = message_of(self._settings, letter, at=at)
        if self._settings.smtp_url is None:
            return _keep(self._settings, letter, message)
        try:
            connection = self._connection or self._connect()
            connection.send_message(message)
        except OSError as wrong:  # smtplib's own errors are OSErrors too
            # Whatever is half said to the server must not run into the next letter.
            self._hang_up()
            raise self._failed(wrong) from wrong
        return None

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        parts = urlsplit(settings.smtp_url or "")
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        made: smtplib.SMTP
        if parts.scheme == "smtps":
            context = ssl.create_default_context()
            made = smtplib.SMTP_SSL(host, port, timeout=PATIENCE_S, context=context)
        else:
            made = smtplib.SMTP(host, port, timeout=PATIENCE_S)
        try:
            if parts.scheme == "smtp+starttls":
                made.starttls(context=ssl.create_default_context())
            if parts.username:
                made.login(unquote(parts.username), _password(settings))
        except BaseException:
            made.close()
            raise
        self._connection = made
        return made

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.quit()
        except OSError:
            connection.close()

    def _failed(self, wrong: OSError) -> NotSentError:
        code, cause = 0, ""
        match wrong:
            case smtplib.SMTPRecipientsRefused():
                # A letter has one recipient.
                ((code, said),) = wrong.recipients.values()
                cause = f"{code} {_text(said)}"
            case smtplib.SMTPResponseException():
                code = wrong.smtp_code
                cause = f"{code} {_text(wrong.smtp_error)}"
            case _:
                cause = str(wrong) or type(wrong).__name__
        is_letter = isinstance(wrong, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
        is_refused = is_letter and code >= _FOR_GOOD
        return NotSentError(
            server=self._server,
            cause=cause,
            is_refused=is_refused,
            is_unknown=is_refused and isinstance(wrong, smtplib.SMTPRecipientsRefused),
            is_down=not is_letter,
        )


def send_letter(settings: Settings, letter: Letter, *, at: datetime) -> Path | None:
    """Send one letter, as ``Mailer`` does.

    Raises
    ------
    StoreError
        ``mail.not_sent`` with the server and what it said; ``mail.not_kept``.
    """
    with Mailer(settings) as mailer:
        return mailer.send(letter, at=at)


class _WholeLinks(EmailPolicy):
    """Leaves headers that hold a link alone: one cut or encoded is no link to a mail program."""

    def fold(self, name: str, value: str) -> str:
        return _whole(name, value) or super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return _whole(name, value).encode("ascii") or super().fold_binary(name, value)


def _whole(name: str, value: str) -> str:
    """A header of a link on one line, which may have 998 characters (RFC 5322, 2.1.1)."""
    return f"{name}: {value}\r\n" if name.startswith("List-") and str(value).isascii() else ""


_POLICY = _WholeLinks(linesep="\r\n")


def message_of(settings: Settings, letter: Letter, *, at: datetime) -> EmailMessage:
    """The letter as a message (RFC 5322); line breaks in a subject are taken out."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = settings.mail_from
    message["To"] = letter.recipient
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{letter.letter_id}@{settings.mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    for name, value in letter.headers.items():
        message[name] = value
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    for one in letter.attachments:
        main, _, sub = one.media.partition(";")[0].partition("/")
        message.add_attachment(one.body, maintype=main, subtype=sub, filename=one.name)
    return message


def _text(said: object) -> str:
    told = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(told.split())


def _password(settings: Settings) -> str:
    file = settings.smtp_password_file
    return "" if file is None else file.read_text(encoding="utf-8").strip()


def _keep(settings: Settings, letter: Letter, message: EmailMessage) -> Path:
    folder = settings.data_dir / OUTBOX
    path = folder / f"{letter.letter_id}.eml"
    write_whole(path, bytes(message))
    return path


def write_whole(path: Path, body: bytes) -> None:
    """Write a file that appears only when it is whole.

    Raises
    ------
    StoreError
        ``mail.not_kept``.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_bytes(body)
        part.replace(path)
    except OSError as wrong:
        cause = wrong.strerror or str(wrong)
        raise StoreError("mail.not_kept", file=str(path), cause=cause) from wrong
