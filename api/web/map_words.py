"""The words of the map's controls, for ``static/map/basemap.mjs``."""

from api.words import Words

CODES = (
    "title",
    "zoom_in",
    "zoom_out",
    "attribution",
    "close",
    "metres",
    "kilometres",
    "osm",
    "wheel",
    "wheel_mac",
    "two_fingers",
)


def map_words(words: Words) -> dict[str, str]:
    """The option ``words`` of ``createMap``, and what a page says where no map can be shown."""
    shown = {code: words(f"basemap.map.{code}") for code in CODES}
    errors = {code: words(f"basemap.{code}") for code in ("map.no_webgl", "map.no_basemap")}
    return shown | errors
