"""Names of things for pages."""

from collections.abc import Mapping

from sqlmodel import Session

from data.db.regions_known_store import region_names
from data.model.accounts import Caller
from data.model.errors import NotFoundError


def named_regions(regions: Mapping[str, Mapping[str, str]], language: str) -> list[tuple[str, str]]:
    """Ids and names of regions in a language, by name."""
    named = [
        (region_id, names.get(language) or next(iter(names.values()), region_id))
        for region_id, names in regions.items()
    ]
    return sorted(named, key=lambda pair: pair[1])


def own_regions(session: Session, caller: Caller, language: str) -> list[tuple[str, str]]:
    """Ids and names of the regions that somebody works in."""
    regions = region_names(session)
    own = {key: names for key, names in regions.items() if caller.works_in(key)}
    return named_regions(own, language)


def region_name(session: Session, region_id: str, language: str) -> str:
    """Name of a region in a language.

    Raises
    ------
    NotFoundError
        ``region.unknown``, also for a region that is closed.
    """
    names = region_names(session).get(region_id)
    if names is None:
        raise NotFoundError("region.unknown", region_id=region_id)
    return names.get(language) or next(iter(names.values()), region_id)
