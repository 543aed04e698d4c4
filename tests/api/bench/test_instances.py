"""Published formats are read as they are meant, and solutions judged by the published rules."""

from pathlib import Path

import pytest

from api.bench.effort import Effort
from api.bench.instance import Instance, Tour, gap_pct, judged
from api.bench.pvrp import read_pvrp
from api.bench.text import best_known
from api.bench.top import read_top
from api.bench.vrptw import read_vrptw
from data.model.errors import InputError

EFFORT = Effort(seconds=1.0, cpu_s=2.0, load=0.5)
TINY = Path(__file__).resolve().parents[2] / "instances"
SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "benchmarks"
NEEDS_SHARED = pytest.mark.skipif(not SHARED.is_dir(), reason="published instances are not here")


def tours(*routes: tuple[int, tuple[int, ...]]) -> tuple[Tour, ...]:
    return tuple(Tour(day=day, places=places) for day, places in routes)


def codes(instance: Instance, *routes: tuple[int, tuple[int, ...]]) -> list[str]:
    return [v.code for v in instance.violations(tours(*routes))]


def test_pvrp_counts_distance_by_hand() -> None:
    """One vehicle of two places: 3 rides every day, 1 and 2 apart; (3+8+5) + (4+9+5) = 34."""
    instance = read_pvrp(TINY / "tiny-pvrp.txt")
    plan = tours((0, (1, 3)), (1, (2, 3)))
    assert not instance.violations(plan)
    assert instance.value(plan) == pytest.approx(34)
    outcome = judged(instance, plan, best=best_known(TINY / "tiny-pvrp.txt"), effort=EFFORT)
    assert outcome.gap_pct == pytest.approx(0)


def test_pvrp_names_each_broken_rule() -> None:
    """Too many routes, too much load, a wrong or repeated day are each named."""
    instance = read_pvrp(TINY / "tiny-pvrp.txt")
    assert codes(instance, (0, (1,)), (0, (3,)), (1, (2, 3))) == ["bench.too_many_routes"]
    assert codes(instance, (0, (1, 2, 3)), (1, (3,))) == ["bench.over_capacity"]
    assert codes(instance, (0, (1, 3)), (1, (2,))) == ["bench.wrong_pattern"]
    assert codes(instance, (0, (1, 1)), (1, (3, 2))) == ["bench.wrong_pattern"] * 2
    assert codes(instance) == ["bench.wrong_pattern"] * 3


def test_an_infeasible_solution_has_no_cost() -> None:
    """What breaks a rule is told as infeasible; neither cost nor gap is given."""
    instance = read_pvrp(TINY / "tiny-pvrp.txt")
    outcome = judged(instance, tours((0, (1, 3))), best=34.0, effort=EFFORT)
    assert not outcome.is_feasible
    assert outcome.cost is None
    assert outcome.gap_pct is None


def test_pvrp_duration_counts_driving_and_service(tmp_path: Path) -> None:
    """Driving and service take 16 + 2 on the first day, 18 + 2 on the second."""
    text = (TINY / "tiny-pvrp.txt").read_text(encoding="utf-8")
    for limit, num_broken in ((20, 0), (19, 1), (17, 2)):
        file = tmp_path / f"limit{limit}.txt"
        file.write_text(text.replace("\n0 2\n0 2\n", f"\n{limit} 2\n{limit} 2\n"), encoding="utf-8")
        found = codes(read_pvrp(file), (0, (1, 3)), (1, (2, 3)))
        assert found == ["bench.over_duration"] * num_broken


def test_vrptw_waits_and_comes_in_time() -> None:
    """1 at 10, 2 at 25, 3 waits until 60: 10 + 10 + √500 + 10, all in one route."""
    instance = read_vrptw(TINY / "tiny-vrptw.txt")
    plan = tours((0, (1, 2, 3)))
    assert not instance.violations(plan)
    assert instance.value(plan) == pytest.approx(30 + 500**0.5)


def test_vrptw_names_each_broken_rule() -> None:
    """Too late, not visited, visited twice and too many vehicles are each named."""
    instance = read_vrptw(TINY / "tiny-vrptw.txt")
    assert codes(instance, (0, (3, 2, 1)))[0] == "bench.late"
    assert codes(instance, (0, (1, 2))) == ["bench.wrong_visits"]
    assert codes(instance, (0, (1, 2, 3)), (0, (1,))) == ["bench.wrong_visits"]
    assert codes(instance, (0, (1,)), (0, (2,)), (0, (3,))) == ["bench.too_many_routes"]


def test_top_collects_on_the_way() -> None:
    """Points 3 and 2 lie on one line: 2·√34 is below 12 and 21 is collected; 1 as well is not."""
    instance = read_top(TINY / "tiny-top.txt")
    assert not instance.violations(tours((0, (3, 2))))
    assert instance.value(tours((0, (3, 2)))) == 21
    assert codes(instance, (0, (1, 2))) == ["bench.over_duration"]
    assert codes(instance, (0, (3,)), (0, (3,))) == ["bench.too_many_routes", "bench.wrong_visits"]


def test_gap_counts_what_is_worse() -> None:
    """More distance and less score are both a gap above zero; no best known, no gap."""
    assert gap_pct(101, 100, is_maximised=False) == pytest.approx(1)
    assert gap_pct(99, 100, is_maximised=True) == pytest.approx(1)
    assert gap_pct(99, None, is_maximised=True) is None


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "line"),
    [
        ("tiny-pvrp", "1 1 3 2", "2 1 3 2", "bench.wrong_type", 1),
        ("tiny-pvrp", "3 -5 0 1 1 2 1 3\n", "", "bench.file_ends", 6),
        ("tiny-pvrp", "1 3 0 1 1 1 2 1 2", "1 3 0 1 1 1 2 1 3", "bench.bad_value", 5),
        ("tiny-pvrp", "1 3 0 1 1 1 2 1 2", "1 3 0 1 1 1 2 1", "bench.too_few_values", 5),
        ("tiny-pvrp", "2 4 0", "2 4,0 0", "bench.bad_value", 6),
        ("tiny-vrptw", "CUSTOMER", "CLIENTS", "bench.no_heading", None),
        ("tiny-vrptw", "25         30", "30         25", "bench.bad_value", 12),
        ("tiny-vrptw", "0        100", "0        nan", "bench.bad_value", 10),
        ("tiny-top", "n 5", "n 6", "bench.file_ends", 8),
        ("tiny-top", "tmax 12.0", "limit 12.0", "bench.no_heading", None),
        ("tiny-top", "5.000\t3.000\t20", "5.000\t3.000\t-20", "bench.bad_value", 6),
    ],
)
def test_a_bad_file_is_named_with_its_line(
    tmp_path: Path, name: str, old: str, new: str, code: str, line: int | None
) -> None:
    """The error says which file, which line and what is wrong with it."""
    text = (TINY / f"{name}.txt").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / f"{name}.txt"
    file.write_text(text.replace(old, new), encoding="utf-8")
    read = {"tiny-pvrp": read_pvrp, "tiny-vrptw": read_vrptw, "tiny-top": read_top}[name]
    with pytest.raises(InputError) as caught:
        read(file)
    assert caught.value.code == code
    assert caught.value.facts["file"] == file
    assert caught.value.facts.get("line") == line


def test_files_that_are_no_instance(tmp_path: Path) -> None:
    """A missing file, a folder, an empty file and a picture are each told apart."""
    picture = tmp_path / "map.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    empty = tmp_path / "empty.txt"
    empty.touch()
    for file, code in (
        (tmp_path / "nothing.txt", "bench.no_file"),
        (tmp_path, "bench.unreadable"),
        (picture, "bench.not_text"),
        (empty, "bench.file_ends"),
    ):
        with pytest.raises(InputError) as caught:
            read_pvrp(file)
        assert caught.value.code == code


def test_best_known_table(tmp_path: Path) -> None:
    """No table and no row mean no best known value; a broken table is an error."""
    file = tmp_path / "p01.txt"
    assert best_known(file) is None
    table = tmp_path / "bks.csv"
    table.write_text("instance,best_known\np02,7\n", encoding="utf-8")
    assert best_known(file) is None
    table.write_text("instance,best_known\nP01,524.61\n", encoding="utf-8")
    assert best_known(file) == 524.61
    table.write_text("instance,best_known\np01,many\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"bench\.bad_value"):
        best_known(file)
    table.write_text("name,value\np01,1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"bench\.no_column"):
        best_known(file)


@NEEDS_SHARED
def test_published_files_hold_what_their_headers_say() -> None:
    """Sizes of published files, as their headers and their literature state them."""
    pr01 = read_pvrp(SHARED / "pvrp" / "pr01.txt")
    assert (pr01.num_vehicles, len(pr01.customers), len(pr01.capacity)) == (2, 48, 4)
    assert pr01.max_duration == (500.0,) * 4
    c101 = read_vrptw(SHARED / "vrptw" / "C101.txt")
    assert (c101.num_vehicles, c101.capacity, len(c101.places)) == (25, 200, 101)
    top = read_top(SHARED / "top" / "p7.2.j.txt")
    assert (top.num_tours, top.max_length, len(top.points)) == (2, 100.0, 102)


@NEEDS_SHARED
def test_the_best_solution_of_c101_has_the_published_length() -> None:
    """The ten routes that Solomon's C101 is known by, 828.94 long, pass and are measured so."""
    instance = read_vrptw(SHARED / "vrptw" / "C101.txt")
    routes = (
        (5, 3, 7, 8, 10, 11, 9, 6, 4, 2, 1, 75),
        (13, 17, 18, 19, 15, 16, 14, 12),
        (20, 24, 25, 27, 29, 30, 28, 26, 23, 22, 21),
        (32, 33, 31, 35, 37, 38, 39, 36, 34),
        (43, 42, 41, 40, 44, 46, 45, 48, 51, 50, 52, 49, 47),
        (57, 55, 54, 53, 56, 58, 60, 59),
        (67, 65, 63, 62, 74, 72, 61, 64, 68, 66, 69),
        (81, 78, 76, 71, 70, 73, 77, 79, 80),
        (90, 87, 86, 83, 82, 84, 85, 88, 89, 91),
        (98, 96, 95, 94, 92, 93, 97, 100, 99),
    )
    plan = tours(*((0, route) for route in routes))
    assert not instance.violations(plan)
    assert instance.value(plan) == pytest.approx(828.94, abs=0.005)
