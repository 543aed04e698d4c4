"""Basemaps that need no other server: vector tiles in one PMTiles file."""

from maps.basemap.archive import ArchiveFacts, read_facts
from maps.basemap.build import region_basemap

__all__ = ["ArchiveFacts", "read_facts", "region_basemap"]
