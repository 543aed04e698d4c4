"""A moment that is not known exactly, as samples that go on through drives and stays."""

from datetime import datetime, timedelta
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from fleet.leg_times import Spell

type Floats = NDArray[np.float64]

NUM_SAMPLES = 128
_ROWS = 256
_SEED = 20


@cache
def normals(row: int) -> Floats:
    """Normal numbers, evenly spread and shuffled; a row's are the same at every call."""
    normal = NormalDist()
    spread = np.array([normal.inv_cdf((k + 0.5) / NUM_SAMPLES) for k in range(NUM_SAMPLES)])
    found: Floats = np.random.default_rng([_SEED, row % _ROWS]).permutation(spread)
    return found


class Moment:
    """Samples of a moment as seconds from now, and what is known of this day's drives.

    Parameters
    ----------
    day_mean, day_sd
        Of the logarithm that all drives of the day share.
    """

    def __init__(self, now: datetime, *, day_mean: float, day_sd: float) -> None:
        self._now = now
        self._day = np.exp(day_mean + day_sd * normals(0))
        self.samples_s: Floats = np.zeros(NUM_SAMPLES)

    def seconds(self, at: datetime) -> float:
        return (at - self._now).total_seconds()

    def instant(self, seconds: float) -> datetime:
        return self._now + timedelta(seconds=round(seconds))

    def median_at(self) -> datetime:
        return self.instant(float(np.median(self.samples_s)))

    def leave_after(self, at: datetime, late_s: Floats) -> None:
        """The samples of setting out: so much after an instant, and not before now.

        What should have happened by now happens within as long again: such waits have no memory.
        """
        due_s = self.seconds(at)
        self.samples_s = np.maximum(self.samples_s, max(due_s, 0.0) + late_s)

    def drive_s(self, spell: Spell, row: int) -> Floats:
        """Sampled seconds of a drive."""
        drawn: Floats = spell.median_s * self._day * np.exp(spell.sd * normals(row))
        return drawn

    def incident_s(self, ratio: float, mean_s: float, row: int) -> Floats:
        """Sampled seconds lost by something rare: most samples lose none."""
        if ratio <= 0:
            return np.zeros(NUM_SAMPLES)
        ranks = np.argsort(np.argsort(normals(_ROWS // 2 + row)))
        beyond = (ranks + 0.5) / NUM_SAMPLES - (1 - ratio)
        lost: Floats = -mean_s * np.log(np.maximum(1 - np.maximum(beyond, 0) / ratio, 1e-9))
        return lost


def stay_s(spell: Spell, row: int) -> Floats:
    """Sampled seconds of something that the day's roads do not change."""
    drawn: Floats = spell.median_s * np.exp(spell.sd * normals(row))
    return drawn


def waiting_s(median_s: float) -> Floats:
    """Sampled seconds of a wait that may end at any moment (exponential)."""
    ranks = np.argsort(np.argsort(normals(_ROWS - 1)))
    drawn: Floats = -median_s / np.log(2) * np.log1p(-(ranks + 0.5) / NUM_SAMPLES)
    return drawn
