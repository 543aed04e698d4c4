"""The estimate is fitted to driven legs, and finds again what made them."""

from pathlib import Path

import numpy as np
import pytest

from data.feeds.estimate_file import load_default_estimate
from data.model.errors import InputError
from maps.calibrate import fit_legs, read_legs, residuals
from maps.estimate import drive_seconds, road_metres
from tests.maps.conftest import SHARED

LEGS = SHARED / "uk-mobile-libraries" / "legs.csv"
EDGES = SHARED / "kaliningrad" / "main_roads_etisplus_edges.csv"


def write_legs(path: Path, rows: list[tuple[object, object, object]]) -> Path:
    lines = ["crow_km,road_km,drive_min", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def made_up_legs(count: int = 4_000) -> list[tuple[object, object, object]]:
    """Detour 1.4, 12 metres a second and 20 seconds a leg, with noise."""
    rng = np.random.default_rng(3)
    crow_km = np.exp(rng.uniform(np.log(0.15), np.log(60), count))
    road_km = 1.4 * crow_km * np.exp(rng.normal(0, 0.03, count))
    drive_min = (20 + road_km * 1000 / 12 * np.exp(rng.normal(0, 0.05, count))) / 60
    return list(zip(crow_km.tolist(), road_km.tolist(), drive_min.tolist(), strict=True))


def test_a_fit_finds_the_law_of_its_legs(tmp_path: Path) -> None:
    """From made-up legs the fit returns their detour, speed and fixed seconds."""
    path = write_legs(tmp_path / "legs.csv", made_up_legs())
    params = fit_legs(path)
    assert params.detour_ratio == pytest.approx([1.4] * len(params.knots_m), rel=0.02)
    assert params.speed_mps == pytest.approx([12] * len(params.knots_m), rel=0.12)
    assert params.leg_fixed_s == pytest.approx(20, abs=6)
    errors = residuals(read_legs(path), params)
    assert errors.drive_sum_ratio == pytest.approx(1, abs=0.01)
    assert errors.drive_median_error_ratio < 0.06


def test_faulty_legs_are_dropped_and_counted(tmp_path: Path) -> None:
    """A road shorter than the crow, no time, no number: not a leg."""
    faulty: list[tuple[object, object, object]] = [
        (2, 1, 5), (1, 1.3, 0), (0, 1, 1), ("", 1, 1), ("x", 1, 1),
    ]  # fmt: skip
    legs = read_legs(write_legs(tmp_path / "legs.csv", made_up_legs(200) + faulty))
    assert (len(legs.crow_m), legs.num_dropped) == (200, 5)


def test_what_is_no_file_of_legs_is_named(tmp_path: Path) -> None:
    """Absent, without a column, or too short."""
    other = tmp_path / "other.csv"
    other.write_text("crow_km,minutes\n1,2\n", encoding="utf-8")
    few = write_legs(tmp_path / "few.csv", made_up_legs(10))
    codes = {
        tmp_path / "absent.csv": "roads.legs_missing",
        other: "roads.legs_column_missing",
        few: "roads.legs_too_few",
    }
    for path, code in codes.items():
        with pytest.raises(InputError) as refused:
            fit_legs(path)
        assert refused.value.code == code and refused.value.facts["file"] == str(path)


@pytest.mark.skipif(not LEGS.exists(), reason="no real legs beside the project")
def test_the_shipped_estimate_is_the_fit_of_the_real_legs() -> None:
    """The table in data/samples follows from the legs, and fits them as its notes say."""
    fitted, shipped = fit_legs(LEGS), load_default_estimate()
    assert shipped.knots_m == fitted.knots_m
    assert shipped.detour_ratio == pytest.approx(fitted.detour_ratio, abs=0.001)
    assert shipped.speed_mps == pytest.approx(fitted.speed_mps, abs=0.005)
    legs = read_legs(LEGS)
    errors = residuals(legs, shipped)
    assert (errors.num_legs, legs.num_dropped) == (3_669, 27)
    assert errors.road_sum_ratio == pytest.approx(1, abs=0.005)
    assert errors.drive_sum_ratio == pytest.approx(1, abs=0.005)
    assert errors.road_median_error_ratio < 0.15 and errors.drive_median_error_ratio < 0.22


@pytest.mark.skipif(not EDGES.exists(), reason="no Kaliningrad road edges beside the project")
def test_main_roads_of_kaliningrad_are_not_underestimated() -> None:
    """On trunk roads, the straightest there are, the estimate errs on the long side."""
    table = np.genfromtxt(EDGES, delimiter=",", names=True)
    told = road_metres(1000 * table["crow_km"], load_default_estimate())
    ratio = told / (1000 * table["distance_km"])
    assert (ratio > 1).all() and (ratio < 1.4).all()


def test_longer_ways_take_longer() -> None:
    """Metres and seconds rise with distance, and not faster than in proportion."""
    params = load_default_estimate()
    crow_m = np.linspace(1, 200_000, 5_000)
    road_m = road_metres(crow_m, params)
    seconds = drive_seconds(road_m, params)
    for value in (road_m, seconds):
        assert (np.diff(value) > 0).all()
        assert (np.diff(value / crow_m) <= 1e-9).all()
