"""The problems of an imported file as a table that a person mends the file by."""

import csv
import io

from api.services.import_outcome import FileOutcome
from api.words import Words
from data.feeds.spreadsheet_text import harmless

COLUMNS = ("row", "column", "value", "verdict", "message", "code")


def report_csv(found: FileOutcome, words: Words, verdict: str = "") -> str:
    """One line a problem: row, column, value, what became of the row, what to do about it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for told in found.problems:
        if verdict and told.verdict.value != verdict:
            continue
        cells = (
            told.facts.get("row", ""),
            told.facts.get("column", ""),
            told.facts.get("value", ""),
            told.verdict.value,
            words(told.code, **told.facts),
            told.code,
        )
        writer.writerow([harmless(cell) for cell in cells])
    return text.getvalue()
