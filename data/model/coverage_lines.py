"""Access coverage settlement by settlement, with everything that its figures rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.model.coverage import (
    NOWHERE,
    REACHES,
    Coverage,
    Reach,
    Reason,
    Rhythm,
    ServedStop,
    reasons_of,
    rhythm_of,
)
from data.model.coverage_count import Cut, keys_of
from data.model.place import Library, Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageLine:
    """One settlement: what it has in reach, and the nearest library and stop.

    ``stop`` is the nearest that is visited after the plan, in reach or not. ``keys`` are its
    classes by cut, so that every figure of a table finds the settlements that it counts.
    """

    settlement: Settlement
    municipality: str
    before: Reach
    after: Reach
    library: Library | None
    library_minutes: float | None
    library_km: float | None
    stop: ServedStop | None
    stop_metres: float | None
    visits_28: float
    rhythm: Rhythm | None
    minutes_per_1000: float | None
    reasons: tuple[Reason, ...]
    keys: Mapping[Cut, str]

    @property
    def is_inhabited(self) -> bool:
        """Whether it counts: no figure holds a settlement that is known to be empty."""
        return self.settlement.population != 0

    @property
    def is_covered(self) -> bool:
        """Whether anything is in reach after the plan."""
        return self.after is not Reach.NONE

    @property
    def is_gained(self) -> bool:
        """Whether the plan brings it into reach."""
        return self.before is Reach.NONE and self.is_covered

    @property
    def is_lost(self) -> bool:
        """Whether it had something in reach, and has not any more."""
        return self.before is not Reach.NONE and not self.is_covered


def lines_of(
    coverage: Coverage,
    municipalities: Mapping[str, str],
    left_out: Sequence[str] = (),
) -> tuple[CoverageLine, ...]:
    """Every settlement in the region's order.

    Parameters
    ----------
    municipalities
        Names by id.
    left_out
        For each settlement the name of a stop within walking distance that the plan does not
        visit, empty where there is none.
    """
    library, stops = coverage.library, coverage.stops_after
    keys = {cut: keys_of(coverage, cut) for cut in Cut}
    lines = []
    for row, place in enumerate(coverage.settlements):
        has_way = library.nearest[row] != NOWHERE
        stop = stops.stops[stops.nearest[row]] if stops.nearest[row] != NOWHERE else None
        is_near = stop is not None and stops.metres[row] <= coverage.params.metres
        visits = float(stops.visits_28[row])
        lines.append(
            CoverageLine(
                settlement=place,
                municipality=municipalities.get(str(place.municipality_id), ""),
                before=REACHES[coverage.before[row]],
                after=REACHES[coverage.after[row]],
                library=library.libraries[library.nearest[row]] if has_way else None,
                library_minutes=int(library.seconds[row]) / 60 if has_way else None,
                library_km=int(library.metres[row]) / 1000 if has_way else None,
                stop=stop,
                stop_metres=None if stop is None else float(stops.metres[row]),
                visits_28=visits,
                rhythm=rhythm_of(visits),
                minutes_per_1000=float(stops.minutes_per_1000[row]) if is_near else None,
                reasons=reasons_of(coverage, row, left_out=left_out[row] if left_out else ""),
                keys={cut: found[row] for cut, found in keys.items()},
            )
        )
    return tuple(lines)
