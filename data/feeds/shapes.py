"""Vector files (GeoJSON, GeoPackage, Shapefile): features as table rows with a position."""

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from data.feeds.columns import nearest
from data.feeds.encodings import detect_encoding
from data.feeds.sheets import cell_text
from data.feeds.tables import Table, TableRow
from data.model.errors import InputError

DEGREES = "EPSG:4326"
_SIDECARS = (".shx", ".dbf")
_DBF_CODE_PAGE_BYTE = 29


def read_shapes(path: Path, *, encoding: str | None = None, layer: str | None = None) -> Table:
    """Features of a vector file; a line or polygon gives a point on it.

    Positions are turned into EPSG:4326 from the file's own reference system.

    Raises
    ------
    InputError
        ``feeds.file.unreadable_shapes``, ``feeds.file.missing_sidecar``,
        ``feeds.file.unknown_layer`` or ``feeds.file.no_crs``.
    """
    if path.suffix.lower() == ".shp":
        encoding = encoding or _shapefile_encoding(path)
    if layer is not None:
        _check_layer(path, layer)
    try:
        meta, _, geometry, columns = pyogrio.raw.read(path, layer=layer, encoding=encoding)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, RuntimeError) as wrong:
        raise InputError(
            "feeds.file.unreadable_shapes", file=path.name, reason=str(wrong)
        ) from wrong
    except LookupError as wrong:
        raise InputError(
            "feeds.file.unknown_encoding", file=path.name, encoding=encoding
        ) from wrong
    names = tuple(str(name) for name in meta["fields"])
    points = _points(path.name, geometry, meta["crs"])
    num_rows = len(points) if geometry is not None else len(columns[0]) if columns else 0
    rows = tuple(
        TableRow(
            line=index + 1,
            cells={name: _text(column[index]) for name, column in zip(names, columns, strict=True)},
            num_cells=len(names),
            lon=points[index][0] if points else None,
            lat=points[index][1] if points else None,
        )
        for index in range(num_rows)
    )
    return Table(file=path.name, columns=names, rows=rows, encoding=encoding or "")


def _check_layer(path: Path, layer: str) -> None:
    try:
        names = [str(name) for name, _ in pyogrio.list_layers(path)]
    except DataSourceError as wrong:
        raise InputError(
            "feeds.file.unreadable_shapes", file=path.name, reason=str(wrong)
        ) from wrong
    if layer not in names:
        raise InputError(
            "feeds.file.unknown_layer",
            file=path.name,
            layer=layer,
            nearest=nearest(layer, names),
            known=", ".join(names),
        )


def _shapefile_encoding(path: Path) -> str | None:
    """Encoding of the attribute table where no ``.cpg`` and no code page mark states it."""
    for suffix in _SIDECARS:
        if not path.with_suffix(suffix).exists():
            raise InputError(
                "feeds.file.missing_sidecar", file=path.name, sidecar=path.with_suffix(suffix).name
            )
    if path.with_suffix(".cpg").exists():
        return None
    raw = path.with_suffix(".dbf").read_bytes()
    if len(raw) > _DBF_CODE_PAGE_BYTE and raw[_DBF_CODE_PAGE_BYTE] not in {0, 0x03, 0x57}:
        return None
    header = int.from_bytes(raw[8:10], "little")
    return detect_encoding(raw[header:].replace(b"\0", b" "))


def _points(
    file: str, geometry: Any, crs_text: str | None
) -> list[tuple[float | None, float | None]]:
    """Lon and lat of a representative point of each feature; ``None`` where it has no shape."""
    if geometry is None:
        return []
    shapes = shapely.from_wkb(geometry)
    is_empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    inside = np.where(is_empty, None, shapely.point_on_surface(shapes))
    x, y = shapely.get_x(inside), shapely.get_y(inside)
    lon, lat = _degrees(file, x, y, crs_text)
    return [
        (None, None) if gone or not np.isfinite(a + b) else (float(a), float(b))
        for a, b, gone in zip(lon, lat, is_empty, strict=True)
    ]


def _degrees(file: str, x: Any, y: Any, crs_text: str | None) -> tuple[Any, Any]:
    if crs_text is None:
        known = np.isfinite(x) & np.isfinite(y)
        if np.all(np.abs(x[known]) <= 180) and np.all(np.abs(y[known]) <= 90):
            return x, y
        raise InputError("feeds.file.no_crs", file=file)
    try:
        crs = CRS.from_user_input(crs_text)
        if crs.to_epsg() == 4326:
            return x, y
        transformer = Transformer.from_crs(crs, DEGREES, always_xy=True)
        lon, lat = transformer.transform(x, y)
    except (CRSError, ProjError) as wrong:
        raise InputError("feeds.file.no_crs", file=file) from wrong
    return lon, lat


def _text(value: Any) -> str:
    if isinstance(value, np.generic):
        value = None if np.issubdtype(value.dtype, np.datetime64) and np.isnat(value) else value
        value = value.item() if value is not None else None
    if isinstance(value, float) and np.isnan(value):
        return ""
    return cell_text(value)
