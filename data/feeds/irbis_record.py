"""Records of IRBIS64: fields by number, each a value and subfields by one letter.

A record is a line of text in the protocol, a block of lines in exchange files, or ISO 2709. Codes
of subfields are the same in capitals and small letters; here they are small.

References
----------
IRBIS help, "Структура текстового файла документов"; PythonIrbis (MIT) ``irbis/record.py``,
``irbis/field.py``, ``irbis/export.py``; ManagedIrbis (MIT) ``ReadRecordCommand.cs`` of the server.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from data.model.errors import InputError

MARK = "^"
STOP = "*****"
_LINE = re.compile(r"#\s*(\d{1,9})\s*:\s?(.*)", re.DOTALL)
_FIELD = re.compile(r"(\d{1,9})#(.*)", re.DOTALL)
_HEAD = re.compile(r"\s*(\d{1,10})(?:#(\d{0,10}))?\s*")
_VERSION = re.compile(r"\s*\d{0,10}#(\d{1,10})\s*")
_CONTROL = re.compile(r"[\x00-\x1f]")
_DELETED = 1 | 2


@dataclass(frozen=True, slots=True, kw_only=True)
class IrbisField:
    """A field: what stands before its first subfield, and the subfields in order."""

    tag: int
    value: str = ""
    subfields: tuple[tuple[str, str], ...] = ()

    def get(self, code: str) -> str:
        """The first subfield of a code; empty where there is none."""
        return next((text for own, text in self.subfields if own == code), "")

    def having(self, **values: str) -> "IrbisField":
        """With subfields set: ``having(f="20261126")``; an empty value takes one out.

        Codes that are digits or signs go by ``with_subfield``.
        """
        made = self
        for code, text in values.items():
            made = made.with_subfield(code, text)
        return made

    def with_subfield(self, code: str, text: str) -> "IrbisField":
        """With the first subfield of a code set, at its place or at the end."""
        checked = clean(code, text)
        if not checked:
            return replace(self, subfields=tuple(p for p in self.subfields if p[0] != code))
        if not any(own == code for own, _ in self.subfields):
            return replace(self, subfields=(*self.subfields, (code, checked)))
        made, is_set = [], False
        for own, before in self.subfields:
            made.append((own, checked if own == code and not is_set else before))
            is_set = is_set or own == code
        return replace(self, subfields=tuple(made))

    def text(self, *, in_capitals: bool = False) -> str:
        """The field without its number."""
        parts = (
            f"{MARK}{c.upper() if in_capitals else c}{_one_line(t)}" for c, t in self.subfields
        )
        return _one_line(self.value) + "".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class IrbisRecord:
    """A record; ``mfn`` 0: it has no place in a base yet."""

    fields: tuple[IrbisField, ...] = ()
    mfn: int = 0
    status: int = 0
    version: int = 0

    @property
    def is_deleted(self) -> bool:
        return bool(self.status & _DELETED)

    def all(self, tag: int) -> tuple[IrbisField, ...]:
        return tuple(f for f in self.fields if f.tag == tag)

    def first(self, tag: int, code: str = "") -> str:
        """The value, or a subfield, of the first field of a number."""
        for found in self.all(tag):
            return (found.get(code) if code else found.value).strip()
        return ""

    def adding(self, added: IrbisField) -> "IrbisRecord":
        return replace(self, fields=(*self.fields, added))

    def replacing(self, before: IrbisField, after: IrbisField) -> "IrbisRecord":
        """With one field changed, the very one."""
        made = tuple(after if f is before else f for f in self.fields)
        return replace(self, fields=made)


def clean(name: str, text: str) -> str:
    """A value that can be taken for nothing else: no ``^``, no ends of lines.

    Raises
    ------
    InputError
        ``library.bad_for_irbis``
    """
    if MARK in text or _CONTROL.search(text) is not None:
        raise InputError("library.bad_for_irbis", field=name, value=text)
    return text


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", text)


def made_field(tag: int, subfields: Iterable[tuple[str, str]]) -> IrbisField:
    """A field of the subfields that are not empty."""
    kept = tuple((code, clean(code, text)) for code, text in subfields if text)
    return IrbisField(tag=tag, subfields=kept)


def read_field(tag: int, text: str) -> IrbisField:
    """A field from its text."""
    value, *parts = text.split(MARK)
    pairs = tuple((part[0].lower(), part[1:]) for part in parts if part)
    return IrbisField(tag=tag, value=value, subfields=pairs)


def record_lines(record: IrbisRecord) -> list[str]:
    """A record as the protocol writes it: number and status, version, fields."""
    head = [f"{record.mfn}#{record.status}", f"0#{record.version}"]
    return head + [f"{f.tag}#{f.text()}" for f in record.fields]


def read_record_lines(lines: Iterable[str]) -> IrbisRecord:
    """The record that the protocol wrote.

    Raises
    ------
    InputError
        ``library.irbis_bad_record``
    """
    told = [line for line in lines if line.strip("\r\n")]
    head = _HEAD.fullmatch(told[0]) if told else None
    version = _VERSION.fullmatch(told[1]) if len(told) > 1 else None
    if head is None or version is None:
        raise InputError("library.irbis_bad_record", value=told[0][:80] if told else "")
    fields = []
    for line in told[2:]:
        found = _FIELD.fullmatch(line)
        if found is None:
            raise InputError("library.irbis_bad_record", value=line[:80])
        fields.append(read_field(int(found[1]), found[2]))
    return IrbisRecord(
        mfn=int(head[1]),
        status=int(head[2] or 0),
        version=int(version[1]),
        fields=tuple(fields),
    )


def text_file(records: Iterable[IrbisRecord], *, encoding: str = "utf-8") -> bytes:
    """Records as an exchange file of lines, for import in IRBIS.

    Raises
    ------
    InputError
        ``library.not_in_encoding``
    """
    lines = []
    for record in records:
        lines += [f"#{f.tag}: {f.text(in_capitals=True)}" for f in record.fields]
        lines.append(STOP)
    text = "".join(f"{line}\r\n" for line in lines)
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as wrong:
        bad = text[wrong.start : wrong.end]
        raise InputError("library.not_in_encoding", value=bad, encoding=encoding) from wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsRead:
    """Records of a file, and its lines that are none (by number, from 1)."""

    records: tuple[IrbisRecord, ...]
    bad_lines: tuple[int, ...] = ()


def read_text_file(raw: bytes, *, encoding: str = "utf-8") -> RecordsRead:
    """The records of an exchange file of lines.

    A line that begins no field goes on with the one before it, as long values of old exports do.

    Raises
    ------
    InputError
        ``library.not_in_encoding_file`` where the bytes are not in the encoding.
    """
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as wrong:
        raise InputError(
            "library.not_in_encoding_file", encoding=encoding, offset=wrong.start
        ) from wrong
    records: list[IrbisRecord] = []
    fields: list[IrbisField] = []
    bad: list[int] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        told = line.rstrip("\r\x1a")
        if told.startswith(STOP):
            if fields:
                records.append(IrbisRecord(fields=tuple(fields)))
            fields = []
        elif (found := _LINE.fullmatch(told)) is not None:
            fields.append(read_field(int(found[1]), found[2]))
        elif told.strip() and fields:
            fields[-1] = read_field(fields[-1].tag, fields[-1].text() + told)
        elif told.strip():
            bad.append(number)
    if fields:
        records.append(IrbisRecord(fields=tuple(fields)))
    return RecordsRead(records=tuple(records), bad_lines=tuple(bad))
