"""Settlements load from any table; every refused row is named with its cause."""

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from numpy.typing import NDArray
from openpyxl import Workbook

from data.feeds.report import ImportReport, Verdict
from data.feeds.settlements import import_municipalities, import_settlements
from data.model.errors import InputError

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
LAND = (((19.5, 54.3), (22.9, 54.3), (22.9, 55.3), (19.5, 55.3)),)
"""A box around Kaliningrad oblast."""


def codes(report: ImportReport) -> list[tuple[str, int | None, str, str]]:
    return [(p.code, p.row, p.column, p.value) for p in report.problems]


def test_russian_table_from_a_spreadsheet_program(tmp_path: Path) -> None:
    """cp1251, semicolons, decimal commas, blanks in thousands: the good rows load as they are."""
    path = tmp_path / "посёлки.csv"
    path.write_bytes(
        (
            "Населённый пункт;Тип;Широта;Долгота;Численность населения;Дети\r\n"
            "Железнодорожный;п;54,3575;21,3122;2 753;1\r\n"
            "Крылово;п;54,3889;21,5531;нет данных;\r\n"
            "Озёрки;п;54,6244;21,0936;-5;\r\n"
            "Багратионовск;г;54,3867;20,6419;н/д;н/д\r\n"
            ";п;54,1;20,1;10;\r\n"
            "Без места;п;;;10;\r\n"
            "Пополам;п;54,5;;10;\r\n"
            "Мусор;п;54,5;20,5;много;\r\n"
        ).encode("cp1251")
    )
    settlements, report = import_settlements(path)
    assert [(s.name, s.population, s.lon, s.lat) for s in settlements] == [
        ("Железнодорожный", 2753, 21.3122, 54.3575),
        ("Крылово", None, 21.5531, 54.3889),
        ("Багратионовск", None, 20.6419, 54.3867),
    ]
    assert report.encoding == "cp1251"
    assert (report.num_rows, report.num_loaded, report.num_rejected) == (8, 3, 5)
    assert codes(report) == [
        ("feeds.cell.negative", 4, "Численность населения", "-5"),
        ("feeds.cell.missing", 6, "Населённый пункт", ""),
        ("feeds.row.no_position", 7, "", ""),
        ("feeds.row.half_position", 8, "Долгота", ""),
        ("feeds.cell.not_a_number", 9, "Численность населения", "много"),
    ]


def test_later_row_of_an_id_is_refused(tmp_path: Path) -> None:
    """Two rows with one id: the first stays, the second names the row it repeats."""
    path = tmp_path / "s.csv"
    path.write_text("id,name,lat,lon\n7,A,54.5,20.5\n8,A,54.6,20.6\n7,B,54.7,20.7\n")
    settlements, report = import_settlements(path)
    assert [(s.settlement_id, s.name) for s in settlements] == [("7", "A"), ("8", "A")]
    (problem,) = report.rejected
    assert (problem.code, problem.row) == ("feeds.row.duplicate_id", 4)
    assert problem.facts["first_row"] == 2


def test_ids_are_stable_where_the_file_has_none(tmp_path: Path) -> None:
    """Namesakes stay apart, the order of rows and the way of writing do not matter."""
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("name,lat,lon,oktmo\nA,54.5,20.5,\nA,54.6,20.6,\nB,54.7,20.7,7701000101\n")
    second.write_text(
        "name;lon;lat;oktmo\nB;20,7;54,7;07701000101\nA;20,60;54,600;\nA;20,5;54,5;\n"
    )
    one, _ = import_settlements(first)
    other, _ = import_settlements(second)
    assert {(s.settlement_id, s.lon) for s in one} == {(s.settlement_id, s.lon) for s in other}
    assert len({s.settlement_id for s in one}) == 3
    assert one[2].settlement_id == "oktmo-07701000101"


def test_settlement_in_the_sea(tmp_path: Path) -> None:
    """A place far off the land is refused with the distance, or flagged where that is asked."""
    path = tmp_path / "s.csv"
    path.write_text("id,name,lat,lon\n1,Dry,54.7,20.5\n2,Wet,54.7,18.0\n3,Shore,54.7,19.49\n")
    settlements, report = import_settlements(path, land=LAND)
    assert [s.name for s in settlements] == ["Dry", "Shore"]
    (problem,) = report.rejected
    assert problem.code == "feeds.row.off_land"
    # 1.5 degrees of longitude at 54.7 N: 1.5 * 111.2 km * cos(54.7) = 96.4 km
    assert problem.facts["km"] == pytest.approx(96.4, abs=0.3)
    settlements, report = import_settlements(path, land=LAND, off_land="flag")
    assert len(settlements) == 3
    assert [p.verdict for p in report.problems] == [Verdict.FLAGGED]


def test_stray_position_is_flagged(tmp_path: Path) -> None:
    """Swapped axes put a place far from the others: it loads, flagged."""
    path = tmp_path / "s.csv"
    path.write_text("id,name,lat,lon\n1,A,54.7,20.5\n2,B,54.6,20.6\n3,C,20.7,54.5\n")
    settlements, report = import_settlements(path)
    assert len(settlements) == 3
    assert [(p.code, p.row) for p in report.flagged] == [("feeds.row.far_away", 4)]


def test_workbook(tmp_path: Path) -> None:
    """An XLSX with a title above the head loads; rows are counted as the sheet counts them."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Население района"])
    sheet.append([])
    sheet.append(["Код", "Название", "Долгота", "Широта", "Население"])
    sheet.append([101, "Ясное", 21.5, 55.2, 800])
    sheet.append([102, "Громово", "21,45", "55,15", "-1"])
    sheet.append([103, "Мысовка", 21.3, 55.18, None])
    path = tmp_path / "s.xlsx"
    book.save(path)
    settlements, report = import_settlements(path)
    assert [(s.settlement_id, s.population) for s in settlements] == [("101", 800), ("103", None)]
    assert codes(report) == [("feeds.cell.negative", 5, "Население", "-1")]


def write_shapes(path: Path, driver: str, *, encoding: str | None = None) -> None:
    """Two places in UTM 34N: a point and a square."""
    shapes = [
        shapely.Point(402_000, 6_062_000),
        shapely.box(450_000, 6_050_000, 451_000, 6_051_000),
    ]
    if driver == "ESRI Shapefile":
        shapes[1] = shapely.Point(450_500, 6_050_500)
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(shapes),
        field_data=[
            _objects(["Гурьевск", "Родники"]),
            _objects(["12345", "н/д"]),
        ],
        fields=["name", "население" if driver != "ESRI Shapefile" else "pop"],
        geometry_type="Point" if driver == "ESRI Shapefile" else "Unknown",
        crs="EPSG:32634",
        driver=driver,
        encoding=encoding,
    )


def _objects(values: list[str]) -> NDArray[np.object_]:
    return np.array(values, dtype=object)


@pytest.mark.parametrize("driver", ["GPKG", "ESRI Shapefile"])
def test_projected_features(tmp_path: Path, driver: str) -> None:
    """Features come in degrees, whatever their reference system; a polygon gives a point inside."""
    path = tmp_path / ("p.gpkg" if driver == "GPKG" else "p.shp")
    write_shapes(path, driver, encoding="UTF-8" if driver != "GPKG" else None)
    settlements, report = import_settlements(path)
    assert not report.problems
    assert [(s.name, s.population) for s in settlements] == [("Гурьевск", 12345), ("Родники", None)]
    # UTM 34N: the central meridian is 21 E at 500 km east
    assert settlements[0].lon == pytest.approx(19.48, abs=0.01)
    assert settlements[0].lat == pytest.approx(54.69, abs=0.01)
    assert settlements[1].lon == pytest.approx(20.23, abs=0.01)


@pytest.mark.parametrize("mark", [0x00, 0xC9])
def test_shapefile_with_cp1251_table(tmp_path: Path, mark: int) -> None:
    """A .dbf in cp1251 reads right, with its code page mark and without."""
    path = tmp_path / "p.shp"
    write_shapes(path, "ESRI Shapefile", encoding="cp1251")
    path.with_suffix(".cpg").unlink()
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = mark
    path.with_suffix(".dbf").write_bytes(table)
    settlements, _ = import_settlements(path)
    assert [s.name for s in settlements] == ["Гурьевск", "Родники"]


def test_broken_vector_files_are_refused(tmp_path: Path) -> None:
    """A Shapefile without its table and a cut GeoPackage say what is missing."""
    path = tmp_path / "p.shp"
    write_shapes(path, "ESRI Shapefile")
    path.with_suffix(".dbf").unlink()
    with pytest.raises(InputError) as caught:
        import_settlements(path)
    assert caught.value.code == "feeds.file.missing_sidecar"
    assert caught.value.facts["sidecar"] == "p.dbf"
    whole = tmp_path / "p.gpkg"
    write_shapes(whole, "GPKG")
    cut = tmp_path / "cut.gpkg"
    cut.write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(InputError) as caught:
        import_settlements(cut)
    assert caught.value.code == "feeds.file.unreadable_shapes"


def test_geojson(tmp_path: Path) -> None:
    """GeoJSON features load; one without a shape is refused by its number."""
    path = tmp_path / "p.geojson"
    path.write_text(
        '{"type":"FeatureCollection","features":['
        '{"type":"Feature","properties":{"name":"Ясное","население":"1 234"},'
        '"geometry":{"type":"Point","coordinates":[21.5,55.2]}},'
        '{"type":"Feature","properties":{"name":"Нигде"},"geometry":null}]}',
        encoding="utf-8",
    )
    settlements, report = import_settlements(path)
    assert [(s.name, s.population, s.lon) for s in settlements] == [("Ясное", 1234, 21.5)]
    assert codes(report) == [("feeds.row.no_position", 2, "", "")]


def test_mapping(tmp_path: Path) -> None:
    """A person may say which column is which; a wrong name is answered with the nearest."""
    path = tmp_path / "s.csv"
    path.write_text("n,northing,easting,souls\nA,54.7,20.5,12\n")
    mapping = {"n": "name", "northing": "lat", "easting": "lon", "souls": "population"}
    settlements, report = import_settlements(path, mapping=mapping)
    assert settlements[0].population == 12
    assert dict(report.columns) == mapping
    with pytest.raises(InputError) as caught:
        import_settlements(path, mapping={"soul": "population"})
    assert caught.value.code == "feeds.mapping.unknown_source"
    assert caught.value.facts["nearest"] == "souls"
    with pytest.raises(InputError) as caught:
        import_settlements(path, mapping={"souls": "popultion"})
    assert caught.value.code == "feeds.mapping.unknown_target"
    assert caught.value.facts["nearest"] == "population"
    with pytest.raises(InputError) as caught:
        import_settlements(path)
    assert caught.value.code == "feeds.columns.missing"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.csv", None, "feeds.file.missing"),
        ("empty.csv", b"", "feeds.file.empty"),
        ("word.docx", b"x", "feeds.file.unknown_kind"),
        ("fake.xlsx", b"not a workbook", "feeds.file.not_a_workbook"),
        ("open.csv", b'name,lat,lon\n"A,54,20\n', "feeds.file.broken_csv"),
        ("bad.geojson", b"{", "feeds.file.unreadable_shapes"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, content: bytes | None, code: str) -> None:
    """A file of which nothing can be read is an error with the file's name."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        import_settlements(tmp_path / name)
    assert caught.value.code == code
    assert name in str(caught.value.facts["file"])


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1251", "cp866"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encoding_and_delimiter_are_found_out(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    """The same table reads the same in every encoding and with every delimiter."""
    lines = [
        ["название", "широта", "долгота", "население"],
        ["Большаково", "54.88", "21.65", "1541"],
        ["Малиновка, посёлок", "54.93", "20.59", "11"],
    ]
    text = "\n".join(delimiter.join(f'"{c}"' if "," in c else c for c in line) for line in lines)
    path = tmp_path / "s.csv"
    path.write_bytes(text.encode(encoding))
    settlements, report = import_settlements(path)
    assert not report.problems
    assert [s.name for s in settlements] == ["Большаково", "Малиновка, посёлок"]
    assert [s.population for s in settlements] == [1541, 11]


def test_unquoted_delimiter_is_named(tmp_path: Path) -> None:
    """A value with a bare delimiter shifts its row: refused, not read askew."""
    path = tmp_path / "s.csv"
    path.write_text("name,lat,lon,population\nA,54.7,20.5,10\nB,54.8,20.6,1,5,7\n")
    settlements, report = import_settlements(path)
    assert [s.name for s in settlements] == ["A"]
    assert codes(report)[0][:2] == ("feeds.row.too_many_cells", 3)


def test_lines_are_counted_past_line_breaks_in_cells(tmp_path: Path) -> None:
    """A cell of two lines and an empty line do not shift the reported row."""
    path = tmp_path / "s.csv"
    path.write_text('name,lat,lon,source\nA,54.7,20.5,"two\nlines"\n\nB,54.8,east,\n')
    _, report = import_settlements(path)
    assert codes(report) == [("feeds.cell.not_a_number", 5, "lon", "east")]


@pytest.mark.skipif(not SHARED.exists(), reason="shared data not at hand")
def test_whole_oblast() -> None:
    """The collected table of Kaliningrad oblast loads without a refusal."""
    settlements, report = import_settlements(SHARED / "kaliningrad" / "settlements.csv")
    assert len(settlements) == 1082
    assert not report.rejected
    municipalities, report = import_municipalities(SHARED / "kaliningrad" / "districts.csv")
    assert len(municipalities) == 22
    assert sum(m.population or 0 for m in municipalities) == 1_029_966
