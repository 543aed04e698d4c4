"""E-mail: by the server that the settings name; without one, as files to be sent by hand."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from api.settings import Settings
from data.model.errors import StoreError

OUTBOX = "outbox"
"""Folder of the service's data where letters are kept when no server sends them."""
PATIENCE_S = 30
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


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
    attachments: tuple[Attachment, ...] = ()


def send_letter(settings: Settings, letter: Letter, *, at: datetime) -> Path | None:
    """Hand a letter to the mail server; gives the file where there is none and it is kept.

    Raises
    ------
    StoreError
        ``mail.not_sent`` with the server and what it said; ``mail.not_kept``.
    """
    message = message_of(settings, letter, at=at)
    if settings.smtp_url is None:
        return _keep(settings, letter, message)
    parts = urlsplit(settings.smtp_url)
    server = f"{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"
    try:
        _send(settings, message)
    except smtplib.SMTPResponseException as wrong:
        told = wrong.smtp_error
        cause = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        cause = f"{wrong.smtp_code} {cause}"[:300]
        raise StoreError("mail.not_sent", server=server, cause=cause) from wrong
    except smtplib.SMTPRecipientsRefused as wrong:
        told = "; ".join(str(x[1], "utf-8", "replace") for x in wrong.recipients.values())
        raise StoreError("mail.not_sent", server=server, cause=told[:300]) from wrong
    except (OSError, smtplib.SMTPException) as wrong:
        cause = str(wrong) or type(wrong).__name__
        raise StoreError("mail.not_sent", server=server, cause=cause[:300]) from wrong
    return None


def message_of(settings: Settings, letter: Letter, *, at: datetime) -> EmailMessage:
    """The letter as a message (RFC 5322); line breaks in a subject are taken out."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = letter.recipient
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{letter.letter_id}@{settings.mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    for one in letter.attachments:
        main, _, sub = one.media.partition(";")[0].partition("/")
        message.add_attachment(one.body, maintype=main, subtype=sub, filename=one.name)
    return message


def _send(settings: Settings, message: EmailMessage) -> None:
    parts = urlsplit(settings.smtp_url or "")
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    connection: smtplib.SMTP
    if parts.scheme == "smtps":
        context = ssl.create_default_context()
        connection = smtplib.SMTP_SSL(host, port, timeout=PATIENCE_S, context=context)
    else:
        connection = smtplib.SMTP(host, port, timeout=PATIENCE_S)
    with connection:
        if parts.scheme == "smtp+starttls":
            connection.starttls(context=ssl.create_default_context())
        if parts.username:
            connection.login(unquote(parts.username), _password(settings))
        connection.send_message(message)


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
