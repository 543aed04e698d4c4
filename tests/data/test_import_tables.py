"""Libraries, depots, vehicles, stops and norms load from tables as settlements do."""

from datetime import date
from pathlib import Path

import pytest

from data.feeds.depots import import_depots
from data.feeds.libraries import import_libraries
from data.feeds.norms_table import import_norm_sets
from data.feeds.profile_writer import write_norm_sets
from data.feeds.profiles import load_norm_sets
from data.feeds.specialists import import_specialists
from data.feeds.stops import import_stops
from data.feeds.vehicles import import_vehicles
from data.model.calendar import Window
from data.model.errors import InputError
from data.model.norms import AccessBand
from data.model.place import LibraryKind, StopKind

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_libraries(tmp_path: Path) -> None:
    """Points are told from libraries, closed branches stay, unknown settlements are refused."""
    path = write(
        tmp_path / "b.csv",
        "Название;Тип;settlement_id;Режим работы;Дата закрытия;Статус",
        "Центральная;библиотека;s1;вт-сб 10-18;;действует",
        "Пункт в клубе;пункт выдачи;s2;;;",
        "Старая;филиал;s1;;01.07.2019;",
        "Забытая;филиал;s1;;;закрыта",
        "Чужая;филиал;s9;;;",
        "Детская;изба;s1;;;",
        "Нигде;филиал;;;;",
    )
    libraries, report = import_libraries(path, settlement_ids={"s1", "s2"})
    assert [(b.name, b.kind, b.is_open_on(date(2026, 11, 30))) for b in libraries] == [
        ("Центральная", LibraryKind.LIBRARY, True),
        ("Пункт в клубе", LibraryKind.POINT, True),
        ("Старая", LibraryKind.LIBRARY, False),
        ("Забытая", LibraryKind.LIBRARY, False),
        ("Детская", LibraryKind.LIBRARY, True),
    ]
    assert libraries[2].is_open_on(date(2019, 6, 30))
    assert [(p.code, p.row, p.verdict) for p in report.problems] == [
        ("feeds.row.closed_date_unknown", 5, "flagged"),
        ("feeds.cell.unknown_reference", 6, "rejected"),
        ("feeds.cell.unknown_word", 7, "flagged"),
        ("feeds.row.library_nowhere", 8, "rejected"),
    ]
    assert len({b.library_id for b in libraries}) == 5


@pytest.mark.skipif(not SHARED.exists(), reason="shared data not at hand")
def test_closed_branches_of_a_real_register() -> None:
    """England's list of 2016: 3,238 libraries, of which 2,986 are open."""
    libraries, report = import_libraries(
        SHARED / "uk-libraries" / "england_libraries_geocoded_2016.csv"
    )
    assert report.num_loaded == 3238
    assert sum(b.is_open_on(date(2026, 1, 1)) for b in libraries) == 2986


def test_depots_and_vehicles(tmp_path: Path) -> None:
    """Vehicles keep their sizes and hours; one of an unknown depot is refused."""
    depots, _ = import_depots(
        write(tmp_path / "d.csv", "id,название,широта,долгота", "d1,База,54.7,20.5")
    )
    assert [(d.depot_id, d.lon) for d in depots] == [("d1", 20.5)]
    vehicles, report = import_vehicles(
        write(
            tmp_path / "v.csv",
            "id;название;база;высота, м;масса, кг;дни;начало смены;off_dates;rule_sets",
            "v1;КИБО;d1;3,1;7 500;пн,ср;7:30;2026-12-07;ru-424;",
            "v2;Чужой;d2;;;;;;",
            "v3;Ночной;d1;;;вчера;25;;",
        ),
        depot_ids={"d1"},
    )
    (vehicle,) = vehicles
    assert (vehicle.height_m, vehicle.weight_kg) == (3.1, 7500)
    assert (sorted(vehicle.weekdays), vehicle.duty_start_s) == ([0, 2], 27_000)
    assert vehicle.off_dates == {date(2026, 12, 7)}
    assert [(p.code, p.row, p.column) for p in report.problems] == [
        ("feeds.cell.unknown_reference", 3, "база"),
        ("feeds.cell.not_a_time", 4, "начало смены"),
        ("feeds.cell.not_a_weekday", 4, "дни"),
    ]


def test_specialists(tmp_path: Path) -> None:
    """Own hours may be half open; a vehicle that is not there and a week of no days are refused."""
    specialists, report = import_specialists(
        write(
            tmp_path / "s.csv",
            "ФИО;услуга;дни;смена с;смена до;машина;дней в неделю",
            "Анна;children;вт,чт;9:00;;v1;2",
            "Вера;consultant;;16:00;9:00;;",
            "Олег;social;;;;v9;",
            "Яна;social;;;;;0",
        ),
        vehicle_ids={"v1"},
    )
    (anna,) = specialists
    assert (anna.service, sorted(anna.weekdays), anna.days_per_week_max) == ("children", [1, 3], 2)
    assert (anna.duty_start_s, anna.duty_end_s, *anna.vehicle_ids) == (32_400, None, "v1")
    assert [(p.code, p.row) for p in report.problems] == [
        ("feeds.row.duty_backwards", 3),
        ("feeds.cell.unknown_reference", 4),
        ("feeds.cell.too_small", 5),
    ]


def test_stops(tmp_path: Path) -> None:
    """Stops load with windows and site cards; a window that ends before it starts is refused."""
    stops, report = import_stops(
        write(
            tmp_path / "s.csv",
            "stop,lon,lat,type,windows,service_min,power,permission_until,settlement_ids",
            "Клуб,20.5,54.7,Dynamic,09:00-12:00@mon;13:00-15:00,90,да,31.12.2027,s1;s2",
            "Школа,20.6,54.7,Public,15:00-13:00,60,,,",
            "Магазин,20.7,54.7,Public,,60,,,s1;s9",
        ),
        settlement_ids={"s1", "s2"},
    )
    (stop,) = stops
    assert (stop.kind, stop.service_s, stop.site.power) == (StopKind.ON_REQUEST, 5400, True)
    assert stop.windows[0] == Window(start_s=32_400, end_s=43_200, weekdays=frozenset({0}))
    assert stop.site.permission_until_date == date(2027, 12, 31)
    assert [(p.code, p.row, p.facts.get("value")) for p in report.problems] == [
        ("feeds.cell.window_backwards", 3, "15:00-13:00"),
        ("feeds.cell.unknown_reference", 4, "s9"),
    ]


def test_norms(tmp_path: Path) -> None:
    """A norm set is bands without a hole and one for unknown population."""
    good = [
        "id;name;population_from;population_to;max_minutes;max_km;mark",
        "own;Наша норма;500;;15;;S",
        "own;;0;500;30;3,5;",
        "own;;неизвестно;;40;;",
    ]
    ((norm_set,), report) = import_norm_sets(write(tmp_path / "n.csv", *good))
    assert report.num_loaded == 3
    assert norm_set.name == "Наша норма"
    assert norm_set.bands == (
        AccessBand(population_from=0, population_to=500, max_minutes=30, max_km=3.5),
        AccessBand(population_from=500, max_minutes=15),
    )
    assert norm_set.unknown_population.max_minutes == 40
    for lines, code in (
        (good[:3], "feeds.norms.unknown_band_missing"),
        ([*good[:2], good[3]], "feeds.norms.bands_broken"),
        ([*good, "own;;700;;;;"], "feeds.norms.no_limit"),
        ([*good, "own;;x0;;5;;"], "feeds.cell.not_a_number"),
    ):
        with pytest.raises(InputError) as caught:
            import_norm_sets(write(tmp_path / "bad.csv", *lines))
        assert caught.value.code == code


def test_norms_in_the_form_of_the_shipped_file(tmp_path: Path) -> None:
    """A TOML file of norms is imported as it stands; one with nothing in it is refused."""
    path = tmp_path / "own.toml"
    write_norm_sets(load_norm_sets().values(), path)
    found, report = import_norm_sets(path)
    assert {n.norm_set_id: n for n in found} == load_norm_sets()
    assert report.num_loaded == len(found)
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"feeds\.file\.empty"):
        import_norm_sets(path)
