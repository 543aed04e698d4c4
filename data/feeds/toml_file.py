"""A TOML file read key by key: what is wrong is kept with file, line and key."""

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from data.feeds.columns import nearest
from data.feeds.report import Problem
from data.feeds.tables import read_text
from data.feeds.values import CellError, parse_clock_s, parse_weekday
from data.model.errors import InputError

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]+?)\s*=")
_AT_LINE = re.compile(r"\(at line (\d+)")


class Section:
    """One table of a TOML file; getters note wrong values, ``finish`` notes unknown keys.

    Parameters
    ----------
    values
        The table's keys.
    name
        Its dotted name, empty for the top; ``index`` counts tables of an array.
    problems
        Shared by all sections of a file.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        file: str,
        lines: list[str],
        problems: list[Problem],
        name: str = "",
        index: int = 0,
    ) -> None:
        self._values = values
        self._file = file
        self._lines = lines
        self.problems = problems
        self._name = name
        self._index = index
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._values)

    def note(self, code: str, key: str = "", **facts: object) -> None:
        """Keep a problem of a key of this section."""
        told: dict[str, object] = {"file": self._file, "row": self._line_of(key)}
        if key:
            told["key"] = f"{self._name}.{key}" if self._name else key
            told["value"] = _told(self._values.get(key, ""))
        self.problems.append(Problem(code=code, facts=told | facts))

    def _line_of(self, key: str) -> int:
        """Line of a key, 1 where it cannot be told."""
        section, count, header_line = "", -1, 1
        for number, line in enumerate(self._lines, start=1):
            if header := _HEADER.match(line):
                section = re.sub(r"[\s\"']", "", header[2])
                if section == self._name:
                    count = count + 1 if header[1] == "[[" else 0
                    if count == self._index:
                        header_line = number
                if not self._name and section == key:
                    return number
                if key and section == f"{self._name}.{key}":
                    return number
            elif (
                section == self._name
                and count in {self._index, -1}
                and (found := _KEY.match(line))
                and found[1].strip("\"'") == key
            ):
                return number
        return header_line

    def _get(self, key: str) -> Any:
        self._known.append(key)
        return self._values.get(key)

    def section(self, key: str) -> "Section":
        """A table inside; an absent one is empty."""
        value = self._get(key)
        if value is not None and not isinstance(value, dict):
            self.note("region.wrong_type", key, wanted=f"[{key}]")
            value = None
        return self._inner(value or {}, key, 0)

    def sections(self, key: str) -> list["Section"]:
        """Tables of an array ``[[key]]``."""
        value = self._get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.note("region.wrong_type", key, wanted=f"[[{key}]]")
            return []
        return [self._inner(item, key, index) for index, item in enumerate(value)]

    def _inner(self, values: Mapping[str, Any], key: str, index: int) -> "Section":
        return Section(
            values,
            file=self._file,
            lines=self._lines,
            problems=self.problems,
            name=f"{self._name}.{key}" if self._name else key,
            index=index,
        )

    def _typed(self, key: str, kinds: tuple[type, ...], wanted: str) -> Any:
        value = self._get(key)
        if value is None:
            return None
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            self.note("region.wrong_type", key, wanted=wanted)
            return None
        return value

    def text(self, key: str, default: str = "") -> str:
        value = self._typed(key, (str,), '"…"')
        return default if value is None else str(value)

    def required(self, key: str) -> str:
        text = self.text(key)
        if not text and not (key in self._values and self._values[key] != ""):
            self.note("region.missing_key", key)
        return text

    def number(
        self, key: str, default: float | None = None, *, least: float | None = None
    ) -> float | None:
        value = self._typed(key, (int, float), "1.5")
        if value is None:
            return default
        if not isfinite(value):
            self.note("region.wrong_type", key, wanted="1.5")
            return default
        if least is not None and value < least:
            self.note("region.too_small", key, least=least)
            return default
        return float(value)

    def numbers(self, key: str) -> tuple[float, ...]:
        value = self._typed(key, (list,), "[1.0, 2.5]")
        if value is None:
            return ()
        if not all(
            isinstance(v, int | float) and not isinstance(v, bool) and isfinite(v) for v in value
        ):
            self.note("region.wrong_type", key, wanted="[1.0, 2.5]")
            return ()
        return tuple(float(v) for v in value)

    def whole(self, key: str, default: int | None = None, *, least: int = 0) -> int | None:
        value = self._typed(key, (int,), "1")
        if value is None:
            return default
        if value < least:
            self.note("region.too_small", key, least=least)
            return default
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._typed(key, (bool,), "true / false")
        return default if value is None else bool(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._typed(key, (list,), '["…", "…"]')
        if value is None:
            return ()
        if not all(isinstance(v, str) for v in value):
            self.note("region.wrong_type", key, wanted='["…", "…"]')
            return ()
        return tuple(value)

    def clock_s(self, key: str, default: int) -> int:
        """A time of day, ``"09:00"``, in seconds."""
        text = self.text(key)
        return default if not text else self._clock(key, text, default)

    def clock_pair_s(self, key: str, default: tuple[int, int]) -> tuple[int, int]:
        """Two times of day, the first before the second."""
        texts = self.texts(key)
        if key not in self._values:
            return default
        if len(texts) != 2:
            self.note("region.wrong_type", key, wanted='["11:00", "15:00"]')
            return default
        pair = self._clock(key, texts[0], default[0]), self._clock(key, texts[1], default[1])
        if pair[0] >= pair[1]:
            self.note("region.window_backwards", key)
        return pair

    def _clock(self, key: str, text: str, default: int) -> int:
        try:
            seconds = parse_clock_s(text)
        except CellError:
            seconds = None
        if seconds is None:
            self.note("region.wrong_type", key, wanted='"09:00"')
            return default
        return seconds

    def weekdays(self, key: str) -> frozenset[int] | None:
        if key not in self._values:
            self._get(key)
            return None
        try:
            return frozenset(parse_weekday(name) for name in self.texts(key))
        except CellError:
            self.note("region.wrong_type", key, wanted='["mon", "tue", …]')
            return None

    def day(self, key: str) -> date | None:
        value = self._typed(key, (date, str), "2026-11-30")
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                self.note("region.wrong_type", key, wanted="2026-11-30")
                return None
        return value if isinstance(value, date) else None

    def finish(self) -> None:
        """Note every key of this section that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                self.note(
                    "region.unknown_key",
                    key,
                    nearest=nearest(key, self._known),
                    known=", ".join(dict.fromkeys(self._known)),
                )


def _told(value: Any) -> str:
    """A value as the file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(json.dumps(v, ensure_ascii=False, default=str) for v in value)}]"
    return str(value)


def read_toml(path: Path) -> Section:
    """The top section of a TOML file.

    Raises
    ------
    InputError
        ``feeds.file.*`` or, where it is no TOML, ``region.syntax`` with the line.
    """
    text, _ = read_text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        at_line = _AT_LINE.search(str(wrong))
        line = int(at_line[1]) if at_line else text.count("\n") + 1
        lines = text.splitlines()
        raise InputError(
            "region.syntax",
            file=path.name,
            row=line,
            value=lines[line - 1].strip() if line <= len(lines) else "",
            reason=str(wrong),
        ) from wrong
    return Section(values, file=path.name, lines=text.splitlines(), problems=[])
