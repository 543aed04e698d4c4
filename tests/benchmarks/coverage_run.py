"""One measurement of coverage in a process of its own: ours, or a plain geopandas distance join.

``python -m tests.benchmarks.coverage_run ours|join kaliningrad|russia`` prints seconds, memory and
the people in reach as JSON. Settlements are those of INID dataset 160; where no register is at
hand, settlements of 1,000 people and more have a library, and every fifth below 500 has a stop.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.feeds.estimate_file import load_default_estimate
from data.model.coverage import CoverageParams, ServedStop
from data.model.coverage_count import Cut, groups_of, rows_of, total_of
from data.model.coverage_equity import equity_of
from data.model.place import (
    Library,
    LibraryId,
    MunicipalityId,
    Settlement,
    SettlementId,
    Standing,
    StopId,
)
from maps.coverage import library_reach, measure_coverage
from maps.estimate import EstimatedRoads

INID = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "russia-inid"
FILE = INID / "settlements_russia.csv.gz"
OBLAST = "Калининградская область"
LIBRARY_PEOPLE, STOP_PEOPLE, EVERY = 1_000, 500, 5
METRES, MINUTES = 1000.0, 15.0
CRS = {
    "kaliningrad": "EPSG:32634",
    "russia": "+proj=aea +lat_1=52 +lat_2=64 +lat_0=0 +lon_0=105 +ellps=WGS84",
}


def table_of(which: str) -> pd.DataFrame:
    """Settlements with a position; both measurements begin with this table."""
    names = ["id", "region", "municipality", "settlement", "population", "children",
             "latitude_dd", "longitude_dd"]  # fmt: skip
    table = pd.read_csv(FILE, usecols=names)
    if which == "kaliningrad":
        table = table[table["region"] == OBLAST]
    table = table.dropna(subset=["latitude_dd", "longitude_dd"])
    return table.sort_values("id").reset_index(drop=True)


def with_library(table: pd.DataFrame) -> pd.DataFrame:
    """Where a library is taken to be; every third of them is only assumed."""
    return table[table["population"] >= LIBRARY_PEOPLE]


def with_stop(table: pd.DataFrame) -> pd.DataFrame:
    """Where a bookmobile stops."""
    small = table[(table["population"] > 0) & (table["population"] < STOP_PEOPLE)]
    return small.iloc[::EVERY]


def table_rows(table: pd.DataFrame) -> Iterator[Any]:
    """Its rows, one at a time."""
    return iter(table.itertuples())


def ours(table: pd.DataFrame) -> dict[str, float]:
    """Libraries by estimated road, known and assumed; stops before and after; every figure."""
    settlements = tuple(
        Settlement(
            settlement_id=SettlementId(str(row.id)),
            name=str(row.settlement),
            lon=float(row.longitude_dd),
            lat=float(row.latitude_dd),
            municipality_id=MunicipalityId(f"{row.region} {row.municipality}"),
            population=None if pd.isna(row.population) else int(row.population),
            children=None if pd.isna(row.children) else int(row.children),
        )
        for row in table_rows(table)
    )
    sites = with_library(table)
    libraries = [
        Library(
            library_id=LibraryId(str(key)),
            name="",
            standing=Standing.ASSUMED if number % 3 else Standing.KNOWN,
            settlement_id=SettlementId(str(key)),
        )
        for number, key in enumerate(sites["id"])
    ]
    places = list(zip(sites["longitude_dd"], sites["latitude_dd"], strict=True))
    stops = [
        ServedStop(
            stop_id=StopId(str(row.id)), name=str(row.settlement), lon=float(row.longitude_dd),
            lat=float(row.latitude_dd), visits_28=1.0, open_min_28=60.0,
        )
        for row in table_rows(with_stop(table))
    ]  # fmt: skip
    made_cpu_s = time.process_time()
    estimate = load_default_estimate()
    roads = EstimatedRoads((), estimate)
    reach = library_reach(libraries, places, settlements, roads, straight=estimate)
    params = CoverageParams(minutes=MINUTES, metres=METRES)
    coverage = measure_coverage(settlements, reach, (), stops, params, is_estimated=True)
    for cut in Cut:
        rows_of(coverage, cut)
    groups_of(coverage)
    equity_of(coverage)
    total = total_of(coverage)
    near = coverage.stops_after.metres <= METRES
    residents = np.array([s.population or 0 for s in settlements])
    return {
        "people_near_stop": int(residents[near].sum()),
        "people": total.total.people,
        "counting_cpu_s": time.process_time() - made_cpu_s,
    }


def join(table: pd.DataFrame, which: str) -> dict[str, float]:
    """The nearest library and the stops within a walk by ``sjoin_nearest``, by municipality."""
    import geopandas as gpd

    def points(rows: pd.DataFrame) -> "gpd.GeoDataFrame":
        places = gpd.points_from_xy(rows["longitude_dd"], rows["latitude_dd"])
        return gpd.GeoDataFrame(rows, geometry=places, crs="EPSG:4326").to_crs(CRS[which])

    homes = points(table)
    libraries, stops = points(with_library(table)), points(with_stop(table))
    nearest = homes.sjoin_nearest(libraries[["geometry"]], how="left", distance_col="library_m")
    nearest = nearest[~nearest.index.duplicated()].drop(columns="index_right")
    walk = nearest.sjoin_nearest(
        stops[["geometry"]], how="left", max_distance=METRES, distance_col="stop_m"
    )
    walk = walk[~walk.index.duplicated()]
    walk["near_stop"] = walk["stop_m"].notna()
    walk.groupby(["region", "municipality", "near_stop"])["population"].sum()
    near = walk[walk["near_stop"]]["population"].sum()
    return {"people_near_stop": int(near), "people": int(walk["population"].sum())}


def main() -> None:
    how, which = sys.argv[1:]
    table = table_of(which)
    if how == "join":
        import geopandas  # noqa: F401 (loading it is no part of the work)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    found = ours(table) if how == "ours" else join(table, which)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "settlements": len(table),
        "seconds": seconds,
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mib": after.ru_maxrss / 1024,
        "grown_mib": (after.ru_maxrss - before.ru_maxrss) / 1024,
        **found,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
