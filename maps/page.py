"""folium's page made whole: every script and style inside one file, nothing fetched.

folium links to public servers for Leaflet and for libraries that our maps do not use. Leaflet
comes from ``maps/vendor``; the rest is left out; a link that is not known here is an error, so
that no new one slips in. The page also forbids itself the network by its security policy.

Contents are put in after rendering: folium reads what an element renders as a template once more,
and a name with braces in it would be run as one.
"""

import re
from collections.abc import Mapping
from importlib.resources import files

from branca.element import CssLink, Element, Figure, JavascriptLink
from folium import Map

_VENDOR = files("maps") / "vendor"
_KEPT = {"leaflet": "leaflet/leaflet.js", "leaflet_css": "leaflet/leaflet.css"}
_DROPPED = frozenset(
    {
        "jquery",
        "bootstrap",
        "awesome_markers",
        "bootstrap_css",
        "glyphicons_css",
        "awesome_markers_font_css",
        "awesome_markers_css",
        "awesome_rotate_css",
    }
)


def place_of(name: str) -> str:
    """The mark in an element's template that ``whole_page`` replaces by the named content."""
    return f"@@{name}@@"


def whole_page(
    drawn: Map,
    contents: Mapping[str, str],
    *,
    language: str,
    title: str,
    image_hosts: tuple[str, ...] = (),
) -> str:
    """The HTML of a map as one file.

    Parameters
    ----------
    contents
        Texts by name, as they shall stand in the page at the marks of ``place_of``.
    title
        Title of the page, already escaped for HTML.
    image_hosts
        Origins from which the page may load images; empty forbids every request.

    Raises
    ------
    LookupError
        If the map links to a script or style that is not vendored.
    """
    figure = drawn.get_root()
    assert isinstance(figure, Figure)
    figure.title = title
    figure.render()  # Lets every element add its links.
    for name, link in list(figure.header._children.items()):
        if not isinstance(link, JavascriptLink | CssLink):
            continue
        if name in _DROPPED:
            del figure.header._children[name]
        elif name in _KEPT:
            figure.header._children[name] = Element(place_of(name))
        else:
            raise LookupError(f"{name}: not a vendored file")
    # Rendering the figure again would add the links again; its template alone does not.
    html: str = figure._template.render(this=figure, kwargs={})
    policy = (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        + " ".join(["img-src data:", *image_hosts])
    )
    html = html.replace("<html>", f'<html lang="{language}">', 1)
    html = html.replace(
        "<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1
    )
    # People may enlarge the page, whatever folium thinks of it.
    html, found = re.subn(
        r'<meta name="viewport"[^>]*>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        html,
    )
    if found != 1:
        raise LookupError("viewport: folium's page has changed")
    html = "\n".join(line.rstrip() for line in html.splitlines()) + "\n"
    texts = {**{name: _embedded(file) for name, file in _KEPT.items()}, **contents}
    marks = re.compile("|".join(re.escape(place_of(name)) for name in texts))
    return marks.sub(lambda mark: texts[mark.group().strip("@")], html)


def _embedded(name: str) -> str:
    """A vendored file as an inline element, without links to files beside it."""
    text = (_VENDOR / name).read_text(encoding="utf-8")
    if name.endswith(".js"):
        return "<script>" + re.sub(r"//# sourceMappingURL=\S*", "", text) + "</script>"
    return "<style>" + re.sub(r"url\((?:images/|#)[^)]*\)", "none", text) + "</style>"
