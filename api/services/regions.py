"""Find a region by its folder or its bundled name."""

from importlib.resources import files
from pathlib import Path

from data.feeds.region_folder import read_region
from data.model.errors import InputError
from data.model.region import Region


def bundled_regions() -> dict[str, Path]:
    """Folders of the regions that ship with the program, by id."""
    samples = Path(str(files("data") / "samples"))
    return {p.parent.name: p.parent for p in sorted(samples.glob("*/region.toml"))}


def region_folder(name: str) -> Path:
    """The folder of a region given as a path or as a bundled name.

    Raises
    ------
    InputError
        ``region.not_found`` if neither is there.
    """
    folder = Path(name)
    if (folder / "region.toml").is_file():
        return folder
    bundled = bundled_regions()
    if name in bundled:
        return bundled[name]
    raise InputError("region.not_found", folder=name, bundled=", ".join(bundled))


def load_region(name: str) -> Region:
    """Read a region by its folder or bundled name."""
    return read_region(region_folder(name))
