"""Names of things for pages."""

from collections.abc import Mapping

from sqlmodel import Session

from data.db.regions_known_store import region_names
from data.model.accounts import Caller


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
