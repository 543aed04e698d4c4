"""Number files read line by line, so that a fault can be named with its file and line."""

import csv
from dataclasses import dataclass
from pathlib import Path

from data.model.errors import InputError

BEST_KNOWN_FILE = "bks.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The words of one line that is not empty."""

    file: Path
    line: int
    words: tuple[str, ...]

    def number(self, column: int, meaning: str) -> float:
        """The value at a column (from 0).

        Raises
        ------
        InputError
            If the line is too short or the word is no finite number.
        """
        if column >= len(self.words):
            raise InputError(
                "bench.too_few_values",
                file=self.file,
                line=self.line,
                found=len(self.words),
                expected=column + 1,
                meaning=meaning,
            )
        try:
            value = float(self.words[column])
        except ValueError:
            value = float("nan")
        if not abs(value) < float("inf"):
            raise self.refusal(column, meaning)
        return value

    def whole(self, column: int, meaning: str, *, least: int = 0) -> int:
        """The whole number at a column, at least ``least``."""
        value = self.number(column, meaning)
        if value != int(value) or value < least:
            raise self.refusal(column, meaning)
        return int(value)

    def positive(self, column: int, meaning: str) -> float:
        """The number at a column, zero or more."""
        value = self.number(column, meaning)
        if value < 0:
            raise self.refusal(column, meaning)
        return value

    def refusal(self, column: int, meaning: str) -> InputError:
        """The error that names this line's word at a column."""
        return InputError(
            "bench.bad_value",
            file=self.file,
            line=self.line,
            value=self.words[column],
            meaning=meaning,
        )


def read_text(file: Path) -> str:
    """The text of a file.

    Raises
    ------
    InputError
        If the file is missing, cannot be read or is not text.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("bench.no_file", file=file) from None
    except OSError as error:
        raise InputError("bench.unreadable", file=file, cause=error.strerror or "") from None
    except UnicodeDecodeError as error:
        raise InputError("bench.not_text", file=file, offset=error.start) from None


def read_rows(file: Path) -> list[Row]:
    """The lines of a file that hold words."""
    rows = [
        Row(file=file, line=line, words=tuple(text.split()))
        for line, text in enumerate(read_text(file).splitlines(), start=1)
    ]
    return [row for row in rows if row.words]


def take(rows: list[Row], index: int, file: Path, meaning: str) -> Row:
    """The row at an index, or the error that the file ends before it."""
    if index >= len(rows):
        last = rows[-1].line if rows else 0
        raise InputError("bench.file_ends", file=file, line=last, meaning=meaning)
    return rows[index]


def best_known(file: Path) -> float | None:
    """Best known value of an instance, from ``bks.csv`` beside it; ``None`` where none is given.

    Raises
    ------
    InputError
        If the table lacks a column or the value is no number.
    """
    table = file.parent / BEST_KNOWN_FILE
    if not table.is_file():
        return None
    reader = csv.DictReader(read_text(table).splitlines())
    missing = {"instance", "best_known"} - set(reader.fieldnames or ())
    if missing:
        raise InputError("bench.no_column", file=table, column=", ".join(sorted(missing)))
    for entry in reader:
        if (entry["instance"] or "").strip().lower() != file.stem.lower():
            continue
        text = (entry["best_known"] or "").strip()
        try:
            return float(text) if text else None
        except ValueError:
            raise InputError(
                "bench.bad_value",
                file=table,
                line=reader.line_num,
                value=text,
                meaning="best_known",
            ) from None
    return None
