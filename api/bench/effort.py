"""How quiet the machine was: processor time that a solve really got, and the load."""

import os
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a solve took: wall seconds, processor seconds of this process and its children, and
    the machine's load average of the last minute at the end."""

    seconds: float
    cpu_s: float
    load: float

    def to_record(self) -> dict[str, float]:
        return {
            "seconds": round(self.seconds, 3),
            "cpu_s": round(self.cpu_s, 2),
            "load": round(self.load, 2),
        }


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._cpu_s = _cpu_s()

    def read(self) -> Effort:
        return Effort(
            seconds=time.perf_counter() - self._began,
            cpu_s=_cpu_s() - self._cpu_s,
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
        )


def _cpu_s() -> float:
    return sum(os.times()[:4])
