"""Where the large files of a stored region lie: its extract, its learned times."""

from pathlib import Path

from api.settings import Settings
from data.model.errors import InputError
from data.model.region import Region


def region_files(settings: Settings, region_id: str) -> Path:
    """Folder of a region's own large files: its extract, its learned times."""
    return settings.data_dir / "regions" / region_id


def check_inside(region: Region, settings: Settings) -> Path:
    """The folder of a region, once its road extract is known to lie in it: names are imported.

    Raises
    ------
    InputError
        ``jobs.extract_outside``.
    """
    folder = region_files(settings, region.region_id)
    home = (settings.data_dir / "regions").resolve()
    file = (folder / region.roads_file).resolve()
    if folder.resolve().parent != home or not file.is_relative_to(folder.resolve()):
        raise InputError("jobs.extract_outside", file=region.roads_file or region.region_id)
    return folder
