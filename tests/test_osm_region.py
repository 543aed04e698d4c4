"""The generated region is the same for the same seed and holds what it says."""

from pathlib import Path

import osmium

from tests.osm_region import make_region


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    """And another seed another one."""
    files = [
        make_region(tmp_path / f"{i}.osm.pbf", seed=seed, num_settlements=12).path.read_bytes()
        for i, seed in enumerate((1, 1, 2))
    ]
    assert files[0] == files[1] != files[2]


def test_the_facts_are_in_the_file(tmp_path: Path) -> None:
    """Places with and without population, libraries, boundaries, the bridge and the underpass."""
    facts = make_region(tmp_path / "region.osm.pbf", seed=5, num_settlements=30)
    kinds: dict[str, int] = {}
    places: dict[int, bool] = {}
    for thing in osmium.FileProcessor(str(facts.path)):
        tags = dict(thing.tags)
        for key in ("maxweight", "maxheight", "admin_level"):
            kinds[key] = kinds.get(key, 0) + (key in tags)
        kinds["library"] = kinds.get("library", 0) + (tags.get("amenity") == "library")
        if "place" in tags:
            places[thing.id] = "population" in tags
    assert kinds == {
        "maxweight": 1,
        "maxheight": 1,
        "admin_level": 3,
        "library": len(facts.libraries),
    }
    expected = {village.osm_id: village.population is not None for village in facts.villages}
    assert places == expected and 0 < sum(places.values()) < 30
    west, south, east, north = facts.bounds
    assert all(west < v.lon < east and south < v.lat < north for v in facts.villages)
    names = [village.name for village in facts.villages]
    assert len(set(names)) < len(names)
