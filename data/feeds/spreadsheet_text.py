"""Texts that spreadsheet programs would run, in the cells of a CSV file."""

import re

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")


def harmless[T](value: T) -> T | str:
    """A cell's value that no spreadsheet takes for a formula: such a text is led by an apostrophe.

    Numbers stay numbers, also those that are written as text.
    """
    is_formula = isinstance(value, str) and value.startswith(_FORMULA)
    return f"'{value}" if is_formula and not _NUMBER.fullmatch(str(value)) else value
