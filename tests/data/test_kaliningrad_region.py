"""The shipped region of Kaliningrad oblast, read as the program reads it."""

from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from data.feeds.profiles import load_norm_sets, load_rule_sets
from data.feeds.region_folder import read_region, write_region
from data.model.geo import distances_m
from data.model.norms import NeedStatus
from data.model.place import Standing
from data.model.region import Region
from planner.need import audit

FOLDER = Path(__file__).resolve().parents[2] / "data" / "samples" / "kaliningrad"
KALININGRAD = "inid-6126"


@cache
def region() -> Region:
    return read_region(FOLDER)


def test_the_folder_reads_without_complaint() -> None:
    """Every key, cell and reference passes; norms and crew rules are shipped ones."""
    assert len(region().settlements) == 1082
    assert len(region().land) == 2
    assert len(region().districts) == 22
    assert region().norm_set_id in load_norm_sets()
    assert set(region().default_rule_set_ids) <= set(load_rule_sets())


def test_a_copy_is_the_same_region(tmp_path: Path) -> None:
    """write_region loses nothing of a real region."""
    write_region(region(), tmp_path / "copy")
    assert read_region(tmp_path / "copy") == region()


def test_known_and_assumed_libraries_make_the_official_count() -> None:
    """26 known and 226 assumed are 252; what SOURCES.md says of places and people holds."""
    standings = Counter(library.standing for library in region().libraries)
    assert standings == {Standing.KNOWN: 26, Standing.ASSUMED: 226}
    in_known = {x.settlement_id for x in region().libraries if x.standing is Standing.KNOWN}
    in_any = {x.settlement_id for x in region().libraries}
    people: dict[str, list[int | None]] = {"known": [], "assumed": [], "none": []}
    for s in region().settlements:
        known, any_there = s.settlement_id in in_known, s.settlement_id in in_any
        column = "known" if known else "assumed" if any_there else "none"
        people[column].append(s.population)
    counted = {column: (len(p), sum(x or 0 for x in p)) for column, p in people.items()}
    assert counted == {"known": (15, 691_862), "assumed": (206, 269_572), "none": (861, 62_213)}
    assert min(x for x in people["assumed"] if x is not None) == 325
    assert sum(not x for x in people["none"]) == 11
    text = (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    for number, total in counted.values():
        assert f"| {number} | {total:,}" in text


def test_a_city_is_given_its_branches() -> None:
    """Kaliningrad is due 25 libraries: 490,449 people at one for every 20,000 begun."""
    of_city = [x for x in region().libraries if x.settlement_id == KALININGRAD]
    assert len(of_city) == 25


def test_nobody_is_called_unserved_on_an_assumption() -> None:
    """While the register is incomplete every verdict without a known library says so."""
    here = region()
    homes = {s.settlement_id: (s.lon, s.lat) for s in here.settlements}
    libraries = tuple(x for x in here.libraries if x.settlement_id is not None)
    crow_m = distances_m(
        np.array([homes[x.settlement_id] for x in libraries if x.settlement_id]),
        np.array(list(homes.values())),
    )
    needs = audit(
        here.settlements,
        libraries,
        load_norm_sets()[here.norm_set_id],
        np.asarray(crow_m * 1.35 / 10, dtype=np.int32),
        np.asarray(crow_m * 1.35, dtype=np.int32),
        register_is_complete=here.library_register_is_complete,
        on=date(2026, 11, 30),
    )
    statuses = Counter(need.status for need in needs)
    assert sum(statuses.values()) == 1082
    assert NeedStatus.UNSERVED not in statuses
    assert statuses[NeedStatus.SERVED] >= 15
    assert statuses[NeedStatus.UNSERVED_ASSUMED] > 500
