"""The public pages and feeds of a region as plain files, for any web server or a memory stick."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from sqlalchemy import Engine

from api.rendering import make_templates, words_for_templates
from api.services.public import Published
from api.services.public_gtfs import region_gtfs
from api.services.public_pages import Context, PublicPages
from api.services.public_prints import SIZES, PublicPrints
from api.static_files import FOLDER
from api.web.public_links import FileLinks
from api.words import LANGUAGES, Words
from data.feeds.gtfs import first_date, runs_of
from data.model.accounts import NOBODY
from data.model.addresses import part_of
from data.model.errors import InputError

MARK = ".bookmobile-site"
"""File by which a folder is known as ours, so that it may be written anew."""
FILES = "files"
_STATIC = ("site.css", "icon.svg", "public/public.css", "public/files.js", "vendor/noto-sans/*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePage:
    """One page of a language's folder; ``depth`` counts the folders above it."""

    path: str
    template: str
    make: Callable[[PublicPages], Context]

    @property
    def depth(self) -> int:
        return self.path.count("/")


def write_site(
    published: Published,
    folder: Path,
    *,
    at: datetime,
    base_url: str = "",
    engine: Engine | None = None,
) -> int:
    """Write the site of a region in every language and return the number of its files.

    The folder is replaced as a whole, at the end: whoever reads it never sees half of it.

    Parameters
    ----------
    at
        The moment for which "next" and "today" are told.
    base_url
        Where the folder is put on the web, for calendar subscriptions and embedding.
    engine
        Where the roads of runs are kept; without it the GTFS feed has no shapes.

    Raises
    ------
    InputError
        ``site.nothing`` where nothing was published, ``site.not_empty`` for a folder of other
        things, ``site.base_url``, ``site.same_file`` for ids that differ in letter case alone.
    """
    if not published.timetable.version:
        raise InputError("site.nothing", region=published.timetable.region_id)
    parts = urlsplit(base_url)
    if base_url and not (parts.scheme in ("http", "https") and parts.netloc):
        raise InputError("site.base_url", value=base_url)
    is_ours = (folder / MARK).is_file()
    if folder.exists() and not is_ours and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError("site.not_empty", folder=str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        made = Path(temporary) / "new"
        number = _write(_Site(published, made, at, base_url, engine))
        if folder.exists():
            folder.rename(Path(temporary) / "old")
        made.rename(folder)
    return number


class _Site:
    """A site being written."""

    def __init__(
        self,
        published: Published,
        folder: Path,
        at: datetime,
        base_url: str,
        engine: Engine | None,
    ) -> None:
        self.published = published
        self.engine = engine
        self.folder = folder
        self.now = published.now(at)
        self.base_url = base_url
        self.templates = make_templates(lambda path: path)
        self.number = 0
        self._seen: dict[str, str] = {}

    def put(self, path: str, content: bytes) -> None:
        """One file."""
        known = self._seen.setdefault(path.lower(), path)
        if known != path:
            raise InputError("site.same_file", first=known, second=path)
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.number += 1

    def pages(self, language: str, depth: int = 0) -> PublicPages:
        """The pages of a language as seen from a depth."""
        return PublicPages(
            published=self.published,
            now=self.now,
            words=Words(language),
            links=FileLinks(language=language, base_url=self.base_url, depth=depth),
        )

    def page(self, language: str, page: SitePage) -> None:
        """One HTML page."""
        pages = self.pages(language, page.depth)
        other = next(code for code in LANGUAGES if code != language)
        up = "../" * (page.depth + 1)

        def url_static(path: str) -> str:
            if not (FOLDER / path).is_file():
                raise FileNotFoundError(path)
            return f"{up}{FILES}/{path}"

        names = {
            **words_for_templates(pages.words),
            "url_static": url_static,
            "caller": NOBODY,
            "here": "",
            "is_demo": False,
            "other_language": other,
            "other_language_link": f"{up}{other}/{quote(page.path)}",
            **page.make(pages),
        }
        body = self.templates.get_template(f"public/{page.template}.html").render(names)
        self.put(f"{language}/{page.path}", body.encode())


def _write(site: _Site) -> int:
    for language in LANGUAGES:
        for page in _all_pages(site.pages(language)):
            site.page(language, page)
        for path, content in _feeds(site.pages(language), site.engine):
            site.put(f"{language}/{path}", content)
        for path, content in _prints(site.pages(language)):
            site.put(f"{language}/{path}", content)
    for pattern in _STATIC:
        for source in sorted(FOLDER.glob(pattern)):
            site.put(f"{FILES}/{source.relative_to(FOLDER).as_posix()}", source.read_bytes())
    site.put("index.html", _choice(site).encode())
    site.put(MARK, f"{site.published.timetable.region_id}\n".encode())
    return site.number


def _all_pages(pages: PublicPages) -> Iterator[SitePage]:
    yield SitePage(path="index.html", template="home", make=PublicPages.home)
    yield SitePage(path="timetable.html", template="timetable", make=PublicPages.whole)
    yield SitePage(path="notices.html", template="notices", make=PublicPages.notices)
    yield SitePage(path="data.html", template="data", make=PublicPages.data)
    yield SitePage(path="embed.html", template="embed", make=PublicPages.embed)
    for stop in pages.timetable.stops:
        part, stop_id = part_of(stop.stop_id), stop.stop_id
        yield SitePage(
            path=f"stops/{part}.html",
            template="stop",
            make=partial(PublicPages.stop, stop_id=stop_id),
        )
        yield SitePage(
            path=f"embed/{part}.html",
            template="embed",
            make=partial(PublicPages.embed, stop_ids=[stop_id]),
        )
    for vehicle_id in pages.vehicle_ids:
        yield SitePage(
            path=f"vehicles/{part_of(vehicle_id)}.html",
            template="vehicle",
            make=partial(PublicPages.vehicle, vehicle_id=vehicle_id),
        )


def _feeds(pages: PublicPages, engine: Engine | None) -> Iterator[tuple[str, bytes]]:
    yield "timetable.ics", pages.calendar()
    yield "timetable.csv", pages.table()
    yield "stops.geojson", pages.geojson()
    yield "notices.atom", pages.atom()
    if pages.links.absolute("") and runs_of(pages.timetable.visits, first_date(pages.now[0])):
        yield "gtfs.zip", region_gtfs(engine, pages)
    for stop in pages.timetable.stops:
        yield f"stops/{part_of(stop.stop_id)}.ics", pages.stop_calendar(stop.stop_id)
    for vehicle_id in pages.vehicle_ids:
        yield f"vehicles/{part_of(vehicle_id)}.ics", pages.vehicle_calendar(vehicle_id)


def _prints(pages: PublicPages) -> Iterator[tuple[str, bytes]]:
    prints = PublicPrints(pages=pages)
    yield "timetable.pdf", prints.timetable()
    yield "large-print.pdf", prints.region_large()
    for size in SIZES:
        yield f"posters-{size}.pdf", prints.posters(size)
    for stop in pages.timetable.stops:
        folder = f"stops/{part_of(stop.stop_id)}"
        yield f"{folder}/large-print.pdf", prints.stop_large(stop.stop_id)
        for size in SIZES:
            yield f"{folder}/poster-{size}.pdf", prints.poster(stop.stop_id, size)
    for vehicle_id in pages.vehicle_ids:
        path = f"vehicles/{part_of(vehicle_id)}/large-print.pdf"
        yield path, prints.vehicle_large(vehicle_id)


def _choice(site: _Site) -> str:
    """The first page: it leads to the region's own language and offers the others."""
    timetable = site.published.timetable
    own = Words(timetable.language)
    template = site.templates.get_template("public/choice.html")
    return template.render(
        own=own.language,
        title=own("public.title", region=timetable.name_in(own.language)),
        choose=own("public.choose_language"),
        choices=[(code, Words(code)(f"web.language.{code}")) for code in LANGUAGES],
    )
