"""Records of ISO 2709 files as fields of bytes, and their text in an encoding that is told.

The lengths of a record count bytes. Programs that counted letters wrote wrong ones; such a record
still has its separators, and its directory is made anew from them. Old Russian files are in cp1251
or cp866 whatever their label says, so the encoding is a setting, chosen from a preview.

References
----------
ISO 2709:2008, as MARC 21 and RUSMARC use it: a leader of 24 bytes, directory entries of 12.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymarc import Record
from pymarc.exceptions import PymarcException
from pymarc.marc8 import marc8_to_unicode

from data.feeds.encodings import detect_encoding
from data.feeds.tables import check_file
from data.model.errors import InputError

RECORD_END, FIELD_END, SUBFIELD = b"\x1d", b"\x1e", b"\x1f"
LEADER, ENTRY = 24, 12
ENCODINGS = ("utf-8", "cp1251", "cp866", "koi8-r", "marc8")
PREVIEWED = ("utf-8", "cp1251", "cp866")
PREVIEWED_RECORDS = 500
PREVIEWED_BYTES = 65_536
MOST_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RawField:
    """A field; ``subfields`` are codes with bytes, a control field has one of code ``""``."""

    tag: str
    subfields: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """A record as it stands in its file.

    ``fault`` is why it cannot be read (a message code); ``is_mended`` says that its lengths were
    wrong and its fields were found by their separators.
    """

    number: int
    leader: str = ""
    fields: tuple[RawField, ...] = ()
    fault: str = ""
    is_mended: bool = False

    def values(self, tag: str, code: str = "") -> tuple[bytes, ...]:
        """Bytes of all subfields of a tag and code, in order."""
        return tuple(
            value
            for field in self.fields
            if field.tag == tag
            for own, value in field.subfields
            if own == code
        )


def read_records(path: Path, *, most: int | None = None) -> tuple[RawRecord, ...]:
    """The records of a file, all or so many of the first, unreadable ones with their fault.

    Raises
    ------
    InputError
        ``feeds.marc.no_records`` where the file is no ISO 2709 at all, ``feeds.marc.too_large``.
    """
    check_file(path)
    if path.stat().st_size > MOST_BYTES:
        limit = MOST_BYTES // 1024 // 1024
        raise InputError("feeds.marc.too_large", file=path.name, limit_mb=limit)
    raw = path.read_bytes()
    if RECORD_END not in raw or FIELD_END not in raw:
        raise InputError("feeds.marc.no_records", file=path.name)
    chunks = raw.split(RECORD_END) if most is None else raw.split(RECORD_END, most)[:most]
    records = [
        _record(number, chunk.lstrip(b"\r\n\x00\x1a \xef\xbb\xbf"))
        for number, chunk in enumerate(chunks, start=1)
        if chunk.strip(b"\r\n\x00\x1a ")
    ]
    if not any(r.fields for r in records):
        raise InputError("feeds.marc.no_records", file=path.name)
    return tuple(records)


def _record(number: int, chunk: bytes) -> RawRecord:
    if len(chunk) < LEADER + 1 or FIELD_END not in chunk:
        return RawRecord(number=number, fault="feeds.marc.cut_off")
    is_mended = not _is_sound(chunk)
    if is_mended:
        mended = _mended(chunk)
        if mended is None:
            return RawRecord(number=number, fault="feeds.marc.bad_directory")
        chunk = mended
    leader = chunk[:LEADER].decode("latin-1")
    # pymarc reads a record's label and takes "a" for UTF-8; here the encoding is chosen.
    plain = f"{len(chunk) + 1:05d}".encode()[:5] + _ascii(chunk[5:9]) + b" "
    plain += _ascii(chunk[10:12]) + chunk[12:17] + _ascii(chunk[17:LEADER])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd codes of subfields; the subfields are kept
            parsed = Record(plain + chunk[LEADER:] + RECORD_END, to_unicode=False)
    except (PymarcException, ValueError, IndexError):
        return RawRecord(number=number, leader=leader, fault="feeds.marc.bad_field")
    fields = tuple(
        RawField(tag=f.tag, subfields=_subfields(f.subfields, f.data, f.control_field))
        for f in parsed.fields
    )
    return RawRecord(number=number, leader=leader, fields=fields, is_mended=is_mended)


def _subfields(
    subfields: Any,
    data: Any,
    is_control: bool,  # noqa: FBT001
) -> tuple[tuple[str, bytes], ...]:
    """pymarc's types speak of text; unread records hold bytes."""
    if is_control:
        return (("", bytes(data)),)
    return tuple((str(s.code), bytes(s.value)) for s in subfields)


def _ascii(part: bytes) -> bytes:
    return bytes(b if 32 <= b < 127 else 32 for b in part)


def _entries(chunk: bytes) -> Iterator[tuple[bytes, int, int]]:
    directory = chunk[LEADER : chunk.index(FIELD_END, LEADER)]
    for start in range(0, len(directory) - ENTRY + 1, ENTRY):
        entry = directory[start : start + ENTRY]
        yield entry[:3], int(entry[3:7]), int(entry[7:12])


def _is_sound(chunk: bytes) -> bool:
    """Whether every entry of the directory ends at a field's end."""
    try:
        base = int(chunk[12:17])
        if chunk[base - 1 : base] != FIELD_END or not chunk[:5].isdigit():
            return False
        if (chunk.index(FIELD_END, LEADER) - LEADER) % ENTRY:
            return False
        return all(
            length > 0 and chunk[base + start + length - 1 : base + start + length] == FIELD_END
            for _, length, start in _entries(chunk)
        )
    except ValueError:
        return False


def _mended(chunk: bytes) -> bytes | None:
    """The record with lengths counted anew; ``None`` where tags and fields do not go together."""
    end = chunk.index(FIELD_END, LEADER) if FIELD_END in chunk[LEADER:] else -1
    if end < 0:
        return None
    try:
        tags = [tag for tag, _, _ in _entries(chunk)]
    except ValueError:
        return None
    data = chunk[end + 1 :].split(FIELD_END)
    if data and not data[-1].strip():
        data.pop()
    if not tags or len(tags) != len(data):
        return None
    directory, start = b"", 0
    for tag, field in zip(tags, data, strict=True):
        length = len(field) + 1
        directory += tag + f"{length:04d}{start:05d}".encode()
        start += length
    base = LEADER + len(directory) + 1
    if start > 99_999 or any(len(field) >= 9_999 for field in data):
        return None
    leader = chunk[:12] + f"{base:05d}".encode() + chunk[17:LEADER]
    return leader + directory + FIELD_END + FIELD_END.join(data) + FIELD_END


def decoded(value: bytes, encoding: str) -> str:
    """The text of bytes.

    Raises
    ------
    UnicodeDecodeError
        Where the bytes are not in the encoding.
    """
    if encoding == "marc8":
        text: str = marc8_to_unicode(value, hide_utf8_warnings=True)
        return text
    return value.decode(encoding)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingPreview:
    """How the first titles of a file read in one encoding.

    ``num_wrong`` counts fields that cannot be read in it; ``is_likely`` marks the best guess.
    """

    encoding: str
    lines: tuple[str, ...]
    num_wrong: int
    is_likely: bool = False


def preview_encodings(
    path: Path,
    tags: tuple[tuple[str, str], ...] = (("245", "a"), ("200", "a"), ("100", "a"), ("700", "a")),
    *,
    num_lines: int = 8,
) -> tuple[EncodingPreview, ...]:
    """Titles and authors of a file in each encoding that it may be in, the likeliest first.

    The first ``PREVIEWED_RECORDS`` records are looked at.
    """
    records = read_records(path, most=PREVIEWED_RECORDS)
    values = [
        value
        for record in records
        for tag, code in tags
        for value in record.values(tag, code)
        if any(byte >= 0x80 for byte in value)
    ]
    told = (
        values[:num_lines]
        or [v for r in records for tag, code in tags for v in r.values(tag, code)][:num_lines]
    )
    likely = likely_encoding(records)
    found = []
    for encoding in PREVIEWED:
        lines, num_wrong = [], 0
        for value in told:
            lines.append(decoded_anyhow(value, encoding))
        for value in values:
            try:
                decoded(value, encoding)
            except UnicodeDecodeError:
                num_wrong += 1
        found.append(
            EncodingPreview(
                encoding=encoding,
                lines=tuple(lines),
                num_wrong=num_wrong,
                is_likely=encoding == likely,
            )
        )
    return tuple(sorted(found, key=lambda p: (not p.is_likely, p.num_wrong)))


def preview_text(raw: bytes, *, num_lines: int = 8) -> tuple[EncodingPreview, ...]:
    """The first lines of a text file with other than ASCII signs, as ``preview_encodings``."""
    lines = [line.strip() for line in raw[:PREVIEWED_BYTES].split(b"\n")[:-1] or [raw]]
    told = [line for line in lines if any(byte >= 0x80 for byte in line)] or lines
    guess = detect_encoding(raw[:PREVIEWED_BYTES])
    found = []
    for encoding in PREVIEWED:
        wrong = 0
        for line in told:
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                wrong += 1
        texts = tuple(decoded_anyhow(line[:200], encoding) for line in told[:num_lines])
        found.append(
            EncodingPreview(
                encoding=encoding, lines=texts, num_wrong=wrong, is_likely=encoding == guess
            )
        )
    return tuple(sorted(found, key=lambda p: (not p.is_likely, p.num_wrong)))


def likely_encoding(records: tuple[RawRecord, ...]) -> str:
    """The encoding that the words of a file look like; UTF-8 where all of it is ASCII."""
    high = b" ".join(
        value
        for record in records[:500]
        for field in record.fields
        for _, value in field.subfields
        if any(byte >= 0x80 for byte in value)
    )
    guess = detect_encoding(high) if high else "utf-8"
    return guess if guess in PREVIEWED else "cp1251"


def decoded_anyhow(value: bytes, encoding: str) -> str:
    """The text of bytes with signs where they cannot be read."""
    if encoding == "marc8":
        return decoded(value, encoding)
    return value.decode(encoding, "replace")
