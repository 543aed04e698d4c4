"""What counts as in reach, in words."""

from data.model.coverage import Coverage
from data.model.labels import Labels


def library_limit(coverage: Coverage, label: Labels) -> str:
    """How near a library must be, in words."""
    params = coverage.params
    minutes = label.number(params.minutes)
    if params.library_km is None:
        return label("coverage.limit.minutes", minutes=minutes)
    km = label.number(params.library_km, 1)
    return label("coverage.limit.both", minutes=minutes, km=km)


def limits_told(coverage: Coverage, label: Labels) -> str:
    """What counts as in reach, as a sentence."""
    metres = label.number(coverage.params.metres)
    code = "coverage.limits_walked" if coverage.is_walked else "coverage.limits"
    return label(code, library=library_limit(coverage, label), metres=metres)
