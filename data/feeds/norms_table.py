"""Norms of provision from a table: one row a population band."""

from collections.abc import Mapping
from pathlib import Path

from data.feeds.columns import match_columns
from data.feeds.profiles import read_norm_sets
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.tables import check_file, read_table
from data.model.errors import InputError
from data.model.norms import AccessBand, NormSet

COLUMNS = (
    "norm_set_id",
    "name",
    "population_from",
    "population_to",
    "max_minutes",
    "max_km",
    "source",
    "mark",
    "valid_from",
    "valid_to",
)
_UNKNOWN = frozenset(["unknown", "неизвестно", "неизвестна"])


def import_norm_sets(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    layer: str | None = None,
) -> tuple[tuple[NormSet, ...], ImportReport]:
    """Norm sets of a TOML file as the shipped one, or of a table.

    In a table ``population_from`` says "unknown" in the row for unknown population.

    Name, source, mark and validity are those of a set's first row. A norm with a hole is no norm,
    so a wrong row stops the import instead of being left out.

    Raises
    ------
    InputError
        The first wrong row, ``feeds.norms.bands_broken`` or ``feeds.norms.unknown_band_missing``;
        of a TOML file as ``read_norm_sets``.
    """
    if path.suffix.lower() == ".toml":
        check_file(path)
        found = tuple(read_norm_sets(path).values())
        return found, ImportReport(
            file=path.name, entity="norms", num_rows=len(found), num_loaded=len(found)
        )
    table = read_table(path, encoding=encoding, layer=layer)
    columns = match_columns(table.columns, COLUMNS, entity="norms", file=path.name, mapping=mapping)
    for column in ("norm_set_id", "population_from"):
        if column not in columns.values():
            raise InputError(
                "feeds.columns.missing",
                file=path.name,
                column=column,
                columns=", ".join(table.columns),
            )
    heads = {ours: theirs for theirs, ours in columns.items()}
    sets: dict[str, list[tuple[Row, AccessBand]]] = {}
    for source in table.rows:
        cells = {ours: source.cells.get(theirs, "") for theirs, ours in columns.items()}
        row = Row(file=path.name, line=source.line, cells=cells, heads=heads)
        sets.setdefault(row.required("norm_set_id"), []).append((row, _band(row)))
    norm_sets = tuple(_norm_set(path.name, key, rows) for key, rows in sets.items())
    return norm_sets, ImportReport(
        file=path.name,
        entity="norms",
        num_rows=len(table.rows),
        num_loaded=len(table.rows),
        columns=columns,
        unused_columns=tuple(head for head in table.columns if head not in columns),
        encoding=table.encoding,
    )


def _is_unknown(row: Row) -> bool:
    return row.cells.get("population_from", "").strip().casefold() in _UNKNOWN


def _band(row: Row) -> AccessBand:
    minutes, km = row.number("max_minutes", least=0), row.number("max_km", least=0)
    start = 0 if _is_unknown(row) else row.count("population_from")
    end = row.count("population_to")
    if not row.is_wrong and minutes is None and km is None:
        row.note("feeds.norms.no_limit")
    if row.is_wrong:
        raise InputError(row.causes[0].code, **row.causes[0].facts)
    return AccessBand(population_from=start or 0, population_to=end, max_minutes=minutes, max_km=km)


def _norm_set(file: str, norm_set_id: str, rows: list[tuple[Row, AccessBand]]) -> NormSet:
    unknown = [band for row, band in rows if _is_unknown(row)]
    known = [band for row, band in rows if not _is_unknown(row)]
    bands = tuple(sorted(known, key=lambda band: band.population_from))
    if not unknown:
        raise InputError("feeds.norms.unknown_band_missing", file=file, id=norm_set_id)
    edges = [0, *(band.population_to for band in bands)]
    if not bands or [band.population_from for band in bands] != edges[:-1] or edges[-1] is not None:
        told = ", ".join(f"{b.population_from}–{b.population_to or ''}" for b in bands)
        raise InputError("feeds.norms.bands_broken", file=file, id=norm_set_id, bands=told)
    head = rows[0][0]
    norm_set = NormSet(
        norm_set_id=norm_set_id,
        name=head.text("name") or norm_set_id,
        bands=bands,
        unknown_population=unknown[0],
        source=head.text("source"),
        mark=head.text("mark") or "U",
        valid_from=head.day("valid_from"),
        valid_to=head.day("valid_to"),
    )
    if head.is_wrong:
        raise InputError(head.causes[0].code, **head.causes[0].facts)
    return norm_set
