"""Random numbers of a chain: xorshift64*, one word of state, the same on every machine.

References
----------
Vigna (2016), doi:10.1145/2845077.
"""

import numpy as np

from planner.kernel.compiled import compiled
from planner.kernel.layout import Words

_SCALE = 1.0 / 9007199254740992.0


@compiled
def draw(rng: Words) -> float:
    """A number in [0, 1)."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * _SCALE


@compiled
def draw_below(rng: Words, n: int) -> int:
    """An integer in [0, n)."""
    return int(draw(rng) * n)
