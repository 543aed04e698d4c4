"""Stock from files over HTTP: shown in each encoding first, hostile and broken records told."""

from collections.abc import Iterator

import pytest

from tests.api.circulation.library import ABOARD, Library, library
from tests.api.circulation.test_loads import page
from tests.api.tracking.depot import REGION
from tests.data.test_stock import ONEGIN, as_bytes, marc

PATH = f"regions/{REGION}/circulation/uploads/stock"
HOSTILE = marc(
    ("200", {"a": "<script>alert(1)</script> =1+1"}),
    ("910", {"a": "0", "b": "../../etc/passwd", "h": "H1"}),
)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with library(tmp_path_factory.mktemp("upload")) as made:
        yield made


def items(one: Library) -> int:
    found: int = one.ask("GET", f"regions/{REGION}/circulation").json()["num_items"]
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "cp866"])
def test_a_trial_shows_the_file_in_each_encoding(one: Library, encoding: str) -> None:
    """The likeliest first, in which titles read; nothing is stored; broken records are told."""
    before = items(one)
    raw = as_bytes(ONEGIN, encoding) + as_bytes(HOSTILE, encoding) + b"00042broken\x1e\x1d"
    told = one.ask(
        "POST", PATH, files={"file": ("../stock.iso", raw)},
        data={"place": str(ABOARD), "is_trial": "true"},
    ).json()  # fmt: skip
    first, *others = told["previews"]
    assert (first["encoding"], first["is_likely"]) == (encoding, True)
    assert "Евгений Онегин" in first["lines"]
    assert {p["encoding"] for p in others} == {"utf-8", "cp1251", "cp866"} - {encoding}
    assert all("Евгений Онегин" not in p["lines"] for p in others)
    assert told["num_rejected"] == 1
    assert items(one) == before


def test_a_table_is_shown_too(one: Library) -> None:
    """A semicolon table of an old system, in cp866; what cannot be printed is not sent."""
    raw = "инв;заглавие\n1;Повесть\x07 лет\n".encode("cp866")
    told = one.ask(
        "POST", PATH, files={"file": ("stock.csv", raw)},
        data={"place": str(ABOARD), "is_trial": "true"},
    ).json()  # fmt: skip
    assert told["previews"][0]["encoding"] == "cp866"
    assert told["previews"][0]["lines"][1] == "1;Повесть· лет"


def test_hostile_records_are_only_text(one: Library) -> None:
    """Taken in, a script in a title and a path in a number are shown as they are written."""
    raw = as_bytes(HOSTILE, "utf-8")
    told = one.ask(
        "POST", PATH, files={"file": ("stock.mrc", raw)}, data={"place": str(ABOARD)}
    ).json()
    assert told["previews"] == []
    assert told["num_loaded"] == 1, told
    found = page(one, "items?q=H1")
    assert found.status_code == 200
    assert "<script>alert" not in found.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in found.text
    assert "../../etc/passwd" in page(one, "items/H1").text


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("photo.jpg", b"\xff\xd8\xff", "circulation.unknown_format"),
        ("stock.iso", b"hello", "feeds.marc.no_records"),
        ("stock.iso", b"\x00" * 90 + b"\x1d", "feeds.marc.no_records"),
        ("stock.xlsx", b"PK\x03\x04 no workbook", ""),
        ("stock.csv", b"", ""),
    ],
)
def test_what_is_no_stock_is_refused(one: Library, name: str, raw: bytes, code: str) -> None:
    """Named by its code; as a trial and in earnest, and nothing is stored."""
    before = items(one)
    for is_trial in ("true", "false"):
        answer = one.ask(
            "POST", PATH, files={"file": (name, raw)},
            data={"place": str(ABOARD), "is_trial": is_trial},
        )  # fmt: skip
        assert answer.status_code in (400, 409, 422), answer.text
        assert answer.json()["code"] == code or (not code and answer.json()["code"])
    assert items(one) == before
