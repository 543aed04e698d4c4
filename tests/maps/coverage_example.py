"""A made-up district on real ground: four villages on the road from Polessk to Slavsk."""

from data.model.coverage import ServedStop
from data.model.place import (
    Library,
    LibraryId,
    MunicipalityId,
    Settlement,
    SettlementId,
    Standing,
    StopId,
)
from data.model.region import EstimateParams

STRAIGHT = EstimateParams(
    knots_m=(0.0, 100_000.0), detour_ratio=(1.0, 1.0), speed_mps=(10.0, 10.0), leg_fixed_s=0.0
)
"""Roads as the crow flies at 10 m/s: hand sums stay short."""
LON, LAT = 21.10, 54.86
KM_NORTH = 1 / 111.19493
"""Degrees of latitude in a kilometre of the mean Earth."""


def place(name: str, km: float, people: int | None, **facts: object) -> Settlement:
    """A settlement some kilometres north of Polessk."""
    return Settlement(
        settlement_id=SettlementId(name),
        name=name.title(),
        lon=LON,
        lat=LAT + km * KM_NORTH,
        population=people,
        municipality_id=MunicipalityId(str(facts.pop("district", "west"))),
        **facts,  # type: ignore[arg-type]
    )


def library(
    name: str, km: float, *, is_known: bool = True, inside: str | None = None
) -> tuple[Library, tuple[float, float]]:
    """A library and where it stands."""
    found = Library(
        library_id=LibraryId(name),
        name=name,
        standing=Standing.KNOWN if is_known else Standing.ASSUMED,
        settlement_id=None if inside is None else SettlementId(inside),
    )
    return found, (LON, LAT + km * KM_NORTH)


def stop(name: str, km: float, *, visits: float = 1.0, minutes: float = 60.0) -> ServedStop:
    """A stop that is visited."""
    return ServedStop(
        stop_id=StopId(name), name=name, lon=LON, lat=LAT + km * KM_NORTH,
        visits_28=visits, open_min_28=minutes,
    )  # fmt: skip


VILLAGES = (
    place("town", 0.0, 1000, children=200),
    place("near", 5.0, 100, children=10),
    place("far", 30.0, 60, district="east", children=20),
    place("farther", 31.0, None, district="east"),
    place("empty", 40.0, 0, district="east"),
)
