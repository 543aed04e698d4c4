"""``bookmobile coverage``: figures of the bundled oblast, its files, readers apart, what if."""

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from api.cli import app
from data.feeds.readers_file import read_readers
from data.model.errors import InputError
from data.model.place import Municipality, MunicipalityId

MOST_MB = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One report of Kaliningrad oblast with a table of readers."""
    made = tmp_path_factory.mktemp("coverage")
    readers = made / "readers.csv"
    readers.write_text(
        "municipality_id;readers;year;source\n27701000;171657;2025;6-НК\n", encoding="utf-8"
    )
    asked = ["coverage", "kaliningrad", "--out", str(made / "out"), "--readers", str(readers)]
    told = CliRunner().invoke(app, [*asked, "--on", "2026-11-26", "--json", "--lang", "ru"])
    assert told.exit_code == 0, told.output
    (made / "told.json").write_text(told.stdout, encoding="utf-8")
    return made


def test_the_oblast_in_figures(folder: Path) -> None:
    """Those without a library in reach are those of the audit of need; empty places are out."""
    found = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    total = found["total"]
    assert total["before"]["none"] == {"settlements": 653, "people": 48848, "unknown": 1}
    assert total["before"]["library"]["people"] == 692057
    assert total["ratio_before"] == pytest.approx(1 - 48848 / 1023647)
    assert sum(row["total"]["people"] for row in found["by"]["municipality"]) == 1023647
    assert found["is_estimated"] is True


def test_the_map_of_the_oblast_is_small_and_whole(folder: Path) -> None:
    """One file under 5 MB."""
    size = (folder / "out" / "coverage-map.html").stat().st_size
    assert size < MOST_MB * 1_000_000


def test_readers_stand_in_a_sheet_of_their_own(folder: Path) -> None:
    """171,657 readers of 490,449 people are 35.0 %; the sheets of access know nothing of them."""
    book = load_workbook(folder / "out" / "coverage.xlsx", read_only=True)
    assert book.sheetnames[-1] == "Читатели"
    rows = list(book["Читатели"].iter_rows(values_only=True))
    assert list(rows[1][1:4]) == [171657, 490449, pytest.approx(35.0, abs=0.01)]
    assert "Читателей" not in [cell for row in book["Муниципалитеты"].values for cell in row]
    quoted = next(book["Норма по пунктам"].iter_rows(min_row=2, values_only=True))
    assert "Нет библиотеки в населённом пункте" in str(quoted[9])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("municipality_id,people\n1,2\n", "coverage.readers_columns"),
        ("municipality_id,readers\n9,2\n", "coverage.readers_municipality"),
        ("municipality_id,readers\n1,many\n", "coverage.readers_number"),
        ("municipality_id,readers\n1,-4\n", "coverage.readers_number"),
    ],
)
def test_a_wrong_table_of_readers_is_refused(tmp_path: Path, text: str, code: str) -> None:
    """The column, the municipality or the number is named."""
    path = tmp_path / "readers.csv"
    path.write_text(text, encoding="utf-8")
    place = Municipality(municipality_id=MunicipalityId("1"), name="One", population=10)
    with pytest.raises(InputError) as refused:
        read_readers(path, [place])
    assert refused.value.code == code


def test_what_if_names_what_is_missing() -> None:
    """Without a branch, or with another word after the region, nothing is measured."""
    for words, code in ((["what-if"], "missing"), (["what-now"], "action")):
        told = CliRunner().invoke(app, ["coverage", "kaliningrad", *words])
        assert isinstance(told.exception, InputError)
        assert told.exception.code.endswith(code)
