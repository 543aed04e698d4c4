"""The open times that a person leaves to the plan, in text, on the stops of a request."""

import re
from collections.abc import Sequence
from dataclasses import replace

from data.model.calendar import MINUTE_S
from data.model.errors import InputError
from data.model.place import Stop

_RANGE = re.compile(r"\s*(\d{1,3})\s*[-–]\s*(\d{1,3})\s*")


def with_open_times(stops: Sequence[Stop], text: str | None) -> tuple[Stop, ...]:
    """The stops, each to be open for a time in a range of minutes such as ``30-90``.

    Without a text they stay as they are.

    Raises
    ------
    InputError
        ``dwell.bad_range``.
    """
    if text is None:
        return tuple(stops)
    found = _RANGE.fullmatch(text)
    least, most = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 0 < least <= most:
        raise InputError("dwell.bad_range", text=text)
    least_s, most_s = least * MINUTE_S, most * MINUTE_S
    return tuple(replace(s, service_s=least_s, service_most_s=most_s) for s in stops)
