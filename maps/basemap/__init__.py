"""Basemaps that need no other server: vector tiles in one PMTiles file."""

from maps.basemap.archive import ArchiveFacts, read_facts
from maps.basemap.build import (
    MadeBasemap,
    extract_basemap,
    extract_basemap_path,
    find_basemap,
    region_basemap,
)

__all__ = [
    "ArchiveFacts",
    "MadeBasemap",
    "extract_basemap",
    "extract_basemap_path",
    "find_basemap",
    "read_facts",
    "region_basemap",
]
