"""Frames and answers of SIP2, whatever bytes come."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.model.errors import InputError
from fleet.library import sip2_replies as replies
from fleet.library.sip2_wire import Frame, GarbledError, checksum, field, framed, parse, unframed

READERS = {
    "94": replies.read_login,
    "98": replies.read_system,
    "24": replies.read_patron,
    "64": replies.read_patron,
    "18": replies.read_item,
    "12": replies.read_action,
    "10": replies.read_action,
    "30": replies.read_action,
    "16": replies.read_action,
}


def test_sums_are_those_of_koha() -> None:
    """The two messages whose sums Koha keeps as constants (C4/SIP/Sip/Constants.pm)."""
    assert framed("97", sequence=None, is_checked=True, encoding="utf-8") == b"97AZFEF5"
    assert framed("96", sequence=None, is_checked=True, encoding="utf-8") == b"96AZFEF6"


@given(
    st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), max_size=60),
    st.integers(0, 9),
    st.sampled_from(["utf-8", "cp1251", "cp866"]),
)
def test_what_is_framed_is_found_again(text: str, sequence: int, encoding: str) -> None:
    """Any text, "AZ" and "AY" in it too, comes back with its number."""
    text = text.encode(encoding, "ignore").decode(encoding)
    raw = framed("11" + text, sequence=sequence, is_checked=True, encoding=encoding)
    found = unframed(raw + b"\r\n", encoding=encoding)
    assert found == Frame(code="11", body=text, sequence=sequence, is_checked=True)


@given(st.binary(max_size=200), st.sampled_from(["utf-8", "cp1251"]))
def test_any_bytes_are_a_frame_or_garbled(raw: bytes, encoding: str) -> None:
    """No bytes from outside end the program."""
    try:
        found = unframed(raw, encoding=encoding)
    except GarbledError as wrong:
        assert wrong.code.startswith("library.sip2_")
    else:
        assert found.code.isdigit()


@given(st.sampled_from(sorted(READERS)), st.text(max_size=200))
def test_any_body_is_an_answer_or_garbled(code: str, body: str) -> None:
    """No answer, however odd, ends the program."""
    try:
        READERS[code](Frame(code=code, body=body))
    except GarbledError as wrong:
        assert wrong.code == "library.sip2_cut_off"


@given(st.binary(min_size=1, max_size=80), st.integers(0), st.integers(1, 255))
def test_one_changed_byte_is_noticed(body: bytes, at: int, change: int) -> None:
    """A frame with one byte changed before its sum is never taken for sound."""
    whole = b"12" + body + b"AY1AZ"
    frame = whole + checksum(whole).encode()
    where = 2 + at % len(body)
    broken = frame[:where] + bytes([frame[where] ^ change]) + frame[where + 1 :]
    with pytest.raises(GarbledError, match="sip2_checksum"):
        unframed(broken, encoding="latin-1")


def test_an_answer_of_koha() -> None:
    """An answer as Koha writes it (C4/SIP/Sip/MsgType.pm, handle_checkout)."""
    raw = (
        "121NUY20261126    101500AOMPL|AA23529001000463|AB39999000008306|AJТом|"
        "AH20261214    235900|AFItem already checked out to you: renewing item.|CK001|"
    ).encode()
    found = replies.read_action(unframed(raw, encoding="utf-8"))
    assert found.is_done
    assert (found.card, found.item_id) == ("23529001000463", "39999000008306")
    assert found.due_date == date(2026, 12, 14)
    assert found.told == "Item already checked out to you: renewing item."


def test_an_unknown_reader_of_koha() -> None:
    """Koha answers of a card it does not know with four times Y and BL of N."""
    body = "YYYY" + " " * 10 + "00020261126    101500AE|AAx|BLN|AFInvalid cardnumber|AOMPL|"
    found = replies.read_patron(Frame(code="24", body=body))
    assert (found.is_known, found.is_blocked, found.told) == (False, True, "Invalid cardnumber")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20261214    235900", date(2026, 12, 14)),
        ("2026-12-14 23:59", date(2026, 12, 14)),
        ("14.12.2026", None),
        ("20261399    000000", None),
        ("", None),
    ],
)
def test_due_dates_of_many_forms(text: str, expected: date | None) -> None:
    """The protocol leaves the form of AH to each system; what is not known is not guessed."""
    assert replies.read_date(text) == expected


def test_repeated_and_unknown_fields_are_kept() -> None:
    """A field may come several times, and systems add their own."""
    found = parse(Frame(code="64", body="AUa|AUb|ZZx|"), ())
    assert (found.all("AU"), found.one("ZZ"), found.one("QQ")) == (("a", "b"), "x", "")


@pytest.mark.parametrize("value", ["a|b", "a\rb", "a\nb", "\x00"])
def test_a_value_is_never_two_fields(value: str) -> None:
    """Delimiters and ends of lines in a value are refused."""
    with pytest.raises(InputError, match="bad_for_sip2"):
        field("AB", value)
