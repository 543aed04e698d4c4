"""Tags of OpenStreetMap as the basemap draws them."""

import pytest

from maps.basemap.kinds import boundary_of, landuse_of, line_of, place_of, poi_of, water_of


@pytest.mark.parametrize(
    ("tags", "layer", "kind", "zoom"),
    [
        ({"highway": "motorway"}, "roads", "highway", 4),
        ({"highway": "tertiary"}, "roads", "major_road", 9),
        ({"highway": "primary_link"}, "roads", "major_road", 11),
        ({"highway": "residential"}, "roads", "minor_road", 12),
        ({"highway": "track"}, "roads", "path", 12),
        ({"railway": "rail"}, "roads", "rail", 8),
        ({"railway": "rail", "service": "siding"}, "roads", "rail", 13),
        ({"waterway": "river"}, "water", "river", 8),
        ({"waterway": "canal"}, "water", "river", 11),
        ({"waterway": "stream"}, "water", "stream", 13),
        ({"aeroway": "runway"}, "roads", "aeroway", 10),
        ({"man_made": "pier"}, "roads", "path", 13),
    ],
)
def test_lines_by_their_tags(tags: dict[str, str], layer: str, kind: str, zoom: int) -> None:
    """A line's layer, kind and first zoom follow its class."""
    drawn = line_of(tags)
    assert drawn is not None
    assert (drawn.layer, drawn.attributes["kind"], drawn.min_zoom) == (layer, kind, zoom)


@pytest.mark.parametrize(
    "tags",
    [{"highway": "proposed"}, {"highway": "construction"}, {"highway": "razed_link"},
     {"highway": "pedestrian", "area": "yes"}, {"waterway": "stream", "tunnel": "culvert"},
     {"railway": "abandoned"}, {"power": "line"}, {}],
)  # fmt: skip
def test_what_is_not_there_to_be_driven_or_seen_is_left_out(tags: dict[str, str]) -> None:
    """Planned, gone, underground and other things are no lines of the map."""
    assert line_of(tags) is None


def test_a_road_tells_its_bridge_number_and_direction() -> None:
    """The first number of several, without its gap; "no" is no bridge."""
    tags = {"highway": "primary", "bridge": "yes", "tunnel": "no", "oneway": "yes",
            "ref": "Р 508;А 216", "name": "Московский  проспект"}  # fmt: skip
    drawn = line_of(tags)
    assert drawn is not None
    told = drawn.attributes
    assert told["shield_text"] == "Р508"
    assert (told["is_bridge"], told["oneway"]) == (True, "yes")
    assert "is_tunnel" not in told
    assert "is_link" not in told
    assert (told["name"], told["script"]) == ("Московский проспект", "Cyrillic")


def test_places_rank_by_people_and_are_named_in_latin_too() -> None:
    """A village of unknown population ranks below a town; a name in Cyrillic gets a Latin one."""
    village = place_of({"place": "village", "name": "Берёзовка"})
    large = place_of({"place": "village", "name": "Большое", "population": "1 200"})
    town = place_of({"place": "town", "name": "Гусев", "name:en": "Gusev", "population": "28467"})
    assert village is not None
    assert large is not None
    assert town is not None
    assert village.attributes["name:en"] == "Beryozovka"
    assert village.attributes["name:ru"] == "Берёзовка"
    assert large.attributes["population"] == 1200
    assert town.attributes["name:en"] == "Gusev"
    assert (town.min_zoom, large.min_zoom, village.min_zoom) == (6, 8, 9)
    ranks = [int(p.attributes["population_rank"]) for p in (town, large, village)]
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("tags", [{"place": "village"}, {"place": "planet", "name": "Mars"}])
def test_a_place_needs_a_name_and_a_kind(tags: dict[str, str]) -> None:
    """Nameless and unknown places are not drawn."""
    assert place_of(tags) is None


def test_latin_names_stay_as_they_are() -> None:
    """A place abroad has no script told, and its Russian name where one is tagged."""
    drawn = place_of({"place": "town", "name": "Vaduz", "name:ru": "Вадуц"})
    assert drawn is not None
    assert drawn.attributes["name:ru"] == "Вадуц"
    assert "script" not in drawn.attributes
    assert "name:en" not in drawn.attributes


def test_areas_of_water_and_land() -> None:
    """Water is told from land use, and a wood from a lake."""
    lake = water_of({"natural": "water", "water": "lake"}, 9)
    wood = landuse_of({"natural": "wood"}, 3)
    assert lake is not None
    assert wood is not None
    assert (lake.layer, lake.attributes["kind"], lake.min_zoom) == ("water", "lake", 9)
    assert (wood.layer, wood.attributes["kind"], wood.min_zoom) == ("landuse", "wood", 6)
    assert water_of({"natural": "wood"}, 9) is None
    assert landuse_of({"landuse": "farmyard"}, 9) is None


def test_points_for_those_who_travel_with_books() -> None:
    """A library shows first; a tap shows never."""
    library, stop = poi_of({"amenity": "library"}), poi_of({"highway": "bus_stop"})
    assert library is not None
    assert stop is not None
    assert library.min_zoom == 12
    assert (stop.min_zoom, stop.attributes["min_zoom"]) == (14, 16)
    assert poi_of({"amenity": "drinking_water"}) is None


@pytest.mark.parametrize(("level", "kind"), [(2, "country"), (4, "region"), (6, "county")])
def test_boundaries_by_level(level: int, kind: str) -> None:
    """The level decides the kind, and stands in the tile for the style's filter."""
    drawn = boundary_of(level)
    assert drawn is not None
    assert (drawn.attributes["kind"], drawn.attributes["kind_detail"]) == (kind, level)
    assert boundary_of(9) is None
