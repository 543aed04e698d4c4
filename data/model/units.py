"""Units of other programs and receivers, in metres, seconds and degrees: converted here alone."""

from math import isfinite

KNOT_MPS = 1852 / 3600
"""Metres a second of one knot (international nautical mile, exact)."""
KMH_MPS = 1000 / 3600
"""Metres a second of one kilometre an hour."""
FULL_TURN_DEG = 360.0
MINUTES_PER_DEGREE = 60


def knots_to_mps(knots: float) -> float:
    """Metres a second of a speed in knots (NMEA, OsmAnd query, Traccar)."""
    return knots * KNOT_MPS


def mps_to_knots(speed_mps: float) -> float:
    """The inverse of ``knots_to_mps``."""
    return speed_mps / KNOT_MPS


def kmh_to_mps(speed_kmh: float) -> float:
    """Metres a second of a speed in km/h (OwnTracks, Wialon IPS)."""
    return speed_kmh * KMH_MPS


def mps_to_kmh(speed_mps: float) -> float:
    """The inverse of ``kmh_to_mps``."""
    return speed_mps / KMH_MPS


def percent_to_ratio(percent: float) -> float:
    """A share in [0, 1] of one in per cent (charge of a battery)."""
    return percent / 100


def degrees_minutes_to_deg(text: str) -> float:
    """Degrees of ``DDMM.MMMM`` or ``DDDMM.MMMM``, as NMEA and Wialon IPS write them.

    Raises
    ------
    ValueError
        Where it is no such number, or the minutes are 60 or more.
    """
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and 3 <= len(whole) <= 5):
        raise ValueError(f"no degrees and minutes: {text!r}")
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        raise ValueError(f"no degrees and minutes: {text!r}")
    minutes = float(f"{whole[-2:]}.{fraction or '0'}")
    if minutes >= MINUTES_PER_DEGREE:
        raise ValueError(f"minutes of a degree: {text!r}")
    return int(whole[:-2]) + minutes / MINUTES_PER_DEGREE


def deg_to_degrees_minutes(degrees: float, *, width: int, digits: int = 5) -> str:
    """The inverse of ``degrees_minutes_to_deg``; ``width`` digits of whole degrees.

    >>> deg_to_degrees_minutes(54.743375, width=2)
    '5444.60250'
    """
    if not isfinite(degrees) or degrees < 0:
        raise ValueError(f"degrees are {degrees}, a sign has its own letter")
    # Rounded as minutes first, so that 59.999999 carries over into the degrees.
    minutes = round(degrees * MINUTES_PER_DEGREE, digits)
    whole, rest = divmod(minutes, MINUTES_PER_DEGREE)
    return f"{int(whole):0{width}d}{rest:0{digits + 3}.{digits}f}"
