"""Frames of SIP2: a code, fixed fields, fields by two letters, a sequence number and a checksum.

References
----------
3M Standard Interchange Protocol v2.00 (document revision 2.12, 11.04.2006), "Standard Protocol
Rules and Regulations" and "Error detection"; Koha ``C4/SIP/Sip/Checksum.pm``.
"""

from dataclasses import dataclass

from data.model.errors import InputError

DELIMITER = "|"
MOST_BYTES = 64 * 1024
"""A system that sends more without an end of line speaks no SIP2."""
FIELD_MAX = 255


class GarbledError(Exception):
    """Bytes that are no sound message; ``code`` is why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A message taken apart, without its checksum.

    ``sequence`` is ``None`` where there was none (a message sent again has none).
    """

    code: str
    body: str
    sequence: int | None = None
    is_checked: bool = False


def checksum(raw: bytes) -> str:
    """Four hexadecimal digits that make the sum of all bytes and themselves zero in 16 bits."""
    return f"{-sum(raw) & 0xFFFF:04X}"


def field(name: str, value: str) -> str:
    """One field with its delimiter.

    Raises
    ------
    InputError
        ``library.bad_for_sip2`` where the value would be taken for more than one field.
    """
    if DELIMITER in value or not value.isprintable() or len(value) > FIELD_MAX:
        raise InputError("library.bad_for_sip2", field=name, value=value[:FIELD_MAX])
    return f"{name}{value}{DELIMITER}"


def framed(text: str, *, sequence: int | None, is_checked: bool, encoding: str) -> bytes:
    """A message as bytes, without its terminator.

    Raises
    ------
    InputError
        ``library.not_in_encoding`` where a character is not in the system's encoding.
    """
    try:
        raw = text.encode(encoding)
    except UnicodeEncodeError as wrong:
        bad = text[wrong.start : wrong.end]
        raise InputError("library.not_in_encoding", value=bad, encoding=encoding) from wrong
    if not is_checked:
        return raw
    if sequence is not None:
        raw += f"AY{sequence % 10}".encode()
    raw += b"AZ"
    return raw + checksum(raw).encode()


def unframed(raw: bytes, *, encoding: str) -> Frame:
    """A message taken apart.

    Parameters
    ----------
    raw
        Without terminators.

    Raises
    ------
    GarbledError
        ``library.sip2_checksum``, ``library.sip2_cut_off``, ``library.sip2_encoding``
    """
    raw = raw.strip(b"\r\n\x00")
    is_checked, sequence = False, None
    # The sum stands at the very end; "AZ" may also be in a title.
    if raw[-6:-4] == b"AZ":
        try:
            told = int(raw[-4:].decode("ascii"), 16)
        except ValueError:
            raise GarbledError("library.sip2_checksum") from None
        if (sum(raw[:-4]) + told) & 0xFFFF:
            raise GarbledError("library.sip2_checksum")
        raw, is_checked = raw[:-6], True
    if raw[-3:-1] == b"AY" and raw[-1:].isdigit():
        sequence, raw = int(raw[-1:]), raw[:-3]
    if len(raw) < 2 or not raw[:2].isdigit():
        raise GarbledError("library.sip2_cut_off")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        raise GarbledError("library.sip2_encoding") from None
    return Frame(code=text[:2], body=text[2:], sequence=sequence, is_checked=is_checked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Fixed fields by name, and the values of each field by its letters, in order."""

    fixed: dict[str, str]
    fields: dict[str, tuple[str, ...]]

    def one(self, name: str) -> str:
        """The first value of a field; empty where there is none."""
        return self.fields.get(name, ("",))[0]

    def all(self, name: str) -> tuple[str, ...]:
        return self.fields.get(name, ())

    def is_yes(self, name: str) -> bool:
        """Whether a fixed field says yes, as ``1`` or ``Y``."""
        return self.fixed[name] in ("1", "Y", "y")


def parse(frame: Frame, layout: tuple[tuple[str, int], ...]) -> Parsed:
    """The fields of a frame.

    Parameters
    ----------
    layout
        Names and widths of the fixed fields. Fields nobody knows are kept, as the protocol asks.

    Raises
    ------
    GarbledError
        ``library.sip2_cut_off`` where the fixed fields are not whole.
    """
    fixed, at = {}, 0
    for name, width in layout:
        fixed[name] = frame.body[at : at + width]
        if len(fixed[name]) < width:
            raise GarbledError("library.sip2_cut_off")
        at += width
    found: dict[str, list[str]] = {}
    for part in frame.body[at:].split(DELIMITER):
        if len(part) >= 2:
            found.setdefault(part[:2], []).append(part[2:])
    return Parsed(fixed=fixed, fields={name: tuple(values) for name, values in found.items()})
