"""Records of IRBIS64 in ISO 2709: its fields may hold a value before their first subfield.

That value stands after the indicators and is lost to readers of MARC, so ``data.feeds.iso2709`` is
not used here. Lengths count bytes.

References
----------
ISO 2709:2008; PythonIrbis (MIT) ``irbis/export.py`` (``read_iso_record``, ``write_iso_record``).
"""

from collections.abc import Iterable

from data.feeds.irbis_record import IrbisField, IrbisRecord, RecordsRead
from data.model.errors import InputError

_RECORD_END, _FIELD_END, _SUBFIELD = b"\x1d", b"\x1e", b"\x1f"
_LEADER, _ENTRY = 24, 12
_FIRST_DATA_TAG = 10
_LONGEST_FIELD, _LONGEST_RECORD = 9_999, 99_999


def iso_file(records: Iterable[IrbisRecord], *, encoding: str = "utf-8") -> bytes:
    """Records as a file of ISO 2709.

    Raises
    ------
    InputError
        ``library.iso_too_long``, ``library.not_in_encoding``
    """
    return b"".join(_written(record, encoding) for record in records)


def _written(record: IrbisRecord, encoding: str) -> bytes:
    directory, data = b"", b""
    for field in record.fields:
        raw = _data(field, encoding) + _FIELD_END
        if len(raw) > _LONGEST_FIELD or not 0 < field.tag < 1000:
            raise InputError("library.iso_too_long", tag=field.tag, limit=_LONGEST_FIELD)
        directory += f"{field.tag:03d}{len(raw):04d}{len(data):05d}".encode()
        data += raw
    base = _LEADER + len(directory) + 1
    length = base + len(data) + 1
    if length > _LONGEST_RECORD:
        raise InputError("library.iso_too_long", tag=0, limit=_LONGEST_RECORD)
    leader = f"{length:05d}nam  22{base:05d} i 450 ".encode()
    return leader + directory + _FIELD_END + data + _RECORD_END


def _data(field: IrbisField, encoding: str) -> bytes:
    try:
        if field.tag < _FIRST_DATA_TAG:
            return field.value.encode(encoding)
        parts = [f"{code}{text}".encode(encoding) for code, text in field.subfields]
        value = field.value.encode(encoding)
    except UnicodeEncodeError as wrong:
        bad = str(wrong.object)[wrong.start : wrong.end]
        raise InputError("library.not_in_encoding", value=bad, encoding=encoding) from wrong
    return b"  " + value + b"".join(_SUBFIELD + part for part in parts)


def read_iso_file(raw: bytes, *, encoding: str = "utf-8") -> RecordsRead:
    """The records of a file; ``bad_lines`` numbers those that cannot be read, from 1.

    Raises
    ------
    InputError
        ``library.not_in_encoding_file``
    """
    records, bad = [], []
    chunks = (c.lstrip(b"\r\n\x00\x1a ") for c in raw.split(_RECORD_END))
    for number, chunk in enumerate((c for c in chunks if c), start=1):
        try:
            records.append(_read(chunk, encoding))
        except UnicodeDecodeError as wrong:
            raise InputError(
                "library.not_in_encoding_file", encoding=encoding, offset=wrong.start
            ) from wrong
        except (ValueError, IndexError):
            bad.append(number)
    return RecordsRead(records=tuple(records), bad_lines=tuple(bad))


def _read(chunk: bytes, encoding: str) -> IrbisRecord:
    base = _number(chunk[12:17])
    if base <= _LEADER or base > len(chunk):
        raise ValueError("base address")
    fields = []
    directory = chunk[_LEADER : base - 1]
    if len(directory) % _ENTRY:
        raise ValueError("directory")
    for at in range(0, len(directory), _ENTRY):
        entry = directory[at : at + _ENTRY]
        start = base + _number(entry[7:12])
        data = chunk[start : start + _number(entry[3:7])]
        if not data.endswith(_FIELD_END):
            raise ValueError("field")
        fields.append(_field(_number(entry[:3]), data[:-1], encoding))
    return IrbisRecord(fields=tuple(fields))


def _number(digits: bytes) -> int:
    if not digits.isdigit():
        raise ValueError("digits")
    return int(digits)


def _field(tag: int, data: bytes, encoding: str) -> IrbisField:
    if tag < _FIRST_DATA_TAG:
        return IrbisField(tag=tag, value=data.decode(encoding))
    value, *parts = data[2:].split(_SUBFIELD)
    pairs = tuple((text[0].lower(), text[1:]) for part in parts if (text := part.decode(encoding)))
    return IrbisField(tag=tag, value=value.decode(encoding), subfields=pairs)
