"""A receiver behind gpsd, read through gpsd-py3 with its faults mended.

gpsd-py3 polls one receiver by a socket in its own globals, without a time limit, raises
``UserWarning`` where no receiver is there, ``IndexError`` or ``KeyError`` for half a packet,
never connects again, and reads the height from a field that comes and goes. Here each receiver has
its own copy of the module with its own socket; the packet that it read is kept and decoded by
``fleet.gpsd``; every failure is either "no fix" or "connect again".
"""

import importlib.util
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any, TextIO

from data.model.telemetry import DeviceId, Fix
from fleet.gpsd import GpsdReader

log = logging.getLogger(__name__)

DEFAULT_PORT = 2947
_POLL = '"class":"POLL"'
_MOST_UNASKED = 100


class GpsdLostError(Exception):
    """gpsd is not there, does not answer in time, or answers nonsense: connect again."""


class _Recorder:
    """The stream of gpsd-py3, which keeps the last line that was read."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.line = ""

    def write(self, text: str) -> int:
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def readline(self) -> str:
        """The next answer to a poll; what gpsd says unasked (a device came or went) is passed."""
        for _ in range(_MOST_UNASKED):
            self.line = self._stream.readline()
            if not self.line or _POLL in self.line[:40]:
                break
        return self.line

    def close(self) -> None:
        self._stream.close()


class _Quiet:
    """Stands for the module's logger, whose ``warn`` is deprecated."""

    def debug(self, *_: object) -> None:
        """Nothing: each poll would be a line."""

    def warn(self, *_: object) -> None:
        """Nothing: that there is no receiver is told once by ``Receiver``."""


def _own_module(timeout_s: float) -> ModuleType:
    """A copy of gpsd-py3 of one's own, whose sockets have a time limit."""
    spec = importlib.util.find_spec("gpsd")
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("gpsd-py3 is not installed")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def limited(family: int, kind: int) -> socket.socket:
        made = socket.socket(family, kind)
        made.settimeout(timeout_s)
        return made

    own: dict[str, Any] = vars(module)
    own["socket"] = SimpleNamespace(
        socket=limited, AF_INET=socket.AF_INET, SOCK_STREAM=socket.SOCK_STREAM
    )
    own["logger"] = _Quiet()
    return module


@dataclass(slots=True)
class Receiver:
    """One receiver of one gpsd.

    Parameters
    ----------
    path
        Of the receiver, like ``/dev/ttyUSB0``, where gpsd has several.
    clock
        The device's own clock, for ``device_at``.
    """

    device_id: DeviceId
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    path: str | None = None
    timeout_s: float = 5.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _module: ModuleType | None = field(default=None, repr=False)
    _stream: _Recorder | None = field(default=None, repr=False)
    _reader: GpsdReader | None = field(default=None, repr=False)
    _last_at: datetime | None = None
    _has_fix: bool | None = None

    def poll(self) -> tuple[Fix, ...]:
        """The fixes that are new since the last call; none where there is no fix.

        Raises
        ------
        GpsdLostError
            Where the connection is to be made anew, which the next call tries.
        """
        if self._module is None:
            self._connect()
        assert self._module is not None and self._stream is not None
        now = self.clock()
        try:
            self._module.get_current()
        except (UserWarning, IndexError, KeyError, TypeError):
            pass  # No receiver, or none that has said anything: no fix.
        except (OSError, ValueError) as wrong:
            self.close()
            raise GpsdLostError(type(wrong).__name__) from wrong
        except Exception as wrong:
            self.close()
            raise GpsdLostError(str(wrong)) from wrong
        return self._decoded(now)

    def close(self) -> None:
        """Close the connection; the next poll opens another."""
        module, self._module = self._module, None
        self._stream, self._reader = None, None
        if module is None:
            return
        for name in ("gpsd_stream", "gpsd_socket"):
            part = vars(module).get(name)
            if part is not None:
                try:
                    part.close()
                except OSError:
                    log.debug("closing gpsd failed", exc_info=True)

    def _connect(self) -> None:
        module = _own_module(self.timeout_s)
        try:
            module.connect(host=self.host, port=self.port)
        except Exception as wrong:
            self._module = module
            self.close()
            raise GpsdLostError(type(wrong).__name__) from wrong
        self._stream = _Recorder(vars(module)["gpsd_stream"])
        vars(module)["gpsd_stream"] = self._stream
        self._module = module
        self._reader = GpsdReader(self.device_id, receiver=self.path)

    def _decoded(self, now: datetime) -> tuple[Fix, ...]:
        assert self._stream is not None and self._reader is not None
        found = self._reader.decode(self._stream.line)
        fixes = [fix for fix in found.fixes if self._last_at is None or fix.fix_at != self._last_at]
        has_fix = bool(found.fixes)
        if has_fix is not self._has_fix:
            self._has_fix = has_fix
            log.info("receiver has a fix" if has_fix else "receiver has no fix")
        if fixes:
            self._last_at = fixes[-1].fix_at
        return tuple(replace(fix, device_at=now) for fix in fixes)
