"""The crew's tablet: a page that needs no network, its worker and its manifest.

The page holds nothing of anybody: what a day needs comes by the API to a paired device.
"""

import json
from collections.abc import Callable
from functools import cache
from hashlib import sha256

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse

from api.auth import Anyone
from api.middleware import content_security_policy
from api.pages.language import words_json
from api.rendering import render
from api.state import Service, ServiceDep
from api.static_files import FOLDER
from api.words import LANGUAGES, Words

router = APIRouter()
PAGE = "/tablet"
ASK_AGAIN = {"cache-control": "no-cache"}
# A browser that has thrown the worker away starts from its own cache, for a day.
FOR_A_DAY = {"cache-control": "private, max-age=86400", "vary": "Accept-Language"}
_PARTS = (
    "tablet/*",
    "map/*.mjs",
    "map/map.css",
    "map/vehicles.css",
    "vendor/preact/*.mjs",
    "vendor/maplibre/*.mjs",
    "vendor/maplibre/*.css",
    "vendor/pmtiles/*.mjs",
    "vendor/basemaps/*.mjs",
    "vendor/barcode/*.mjs",
    "vendor/barcode/*.wasm",
    "vendor/noto-sans/*.css",
    "vendor/noto-sans/*.woff2",
    "words.mjs",
    "site.css",
    "icon.svg",
)
_WORKER = "tablet/worker.js"


@cache
def kept_files() -> tuple[str, ...]:
    """Static files that the tablet keeps, so that it starts with no network."""
    found = {path.relative_to(FOLDER).as_posix() for part in _PARTS for path in FOLDER.glob(part)}
    return tuple(sorted(found - {_WORKER}))


def _url(service: Service) -> Callable[[str], str]:
    found: Callable[[str], str] = service.templates.globals["url_static"]  # type: ignore[assignment]
    return found


def _addresses(service: Service) -> list[str]:
    url = _url(service)
    manifests = [f"{PAGE}/{language}.webmanifest" for language in LANGUAGES]
    words = [f"/words/{language}.json" for language in LANGUAGES]
    return [PAGE, *manifests, *words, *(url(name) for name in kept_files())]


def _policy(service: Service) -> dict[str, str]:
    """The page may ask the vehicles' own computers, where the administrator named them."""
    origins = tuple(service.settings.relay_origins.split())
    return {"content-security-policy": content_security_policy(connect=origins)}


@router.get(PAGE)
def tablet_page(request: Request, asking: Anyone, service: ServiceDep) -> HTMLResponse:
    """The same page for everybody; its script asks for the day of the device that it is on."""
    return render(request, "tablet/app.html", headers=FOR_A_DAY | _policy(service))


@router.get(PAGE + "/worker.js")
def worker(service: ServiceDep) -> Response:
    """The service worker with the list of what it keeps; any change of a file changes it."""
    addresses = _addresses(service)
    page = (FOLDER.parent / "templates" / "tablet" / "app.html").read_bytes()
    said = "".join(
        (*addresses, *_policy(service).values(), *(words_json(language) for language in LANGUAGES))
    )
    version = sha256(said.encode() + page).hexdigest()[:12]
    head = f"const VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(addresses)};\n"
    return Response(
        head + (FOLDER / _WORKER).read_text(encoding="utf-8"),
        media_type="text/javascript",
        headers=ASK_AGAIN | {"service-worker-allowed": PAGE},
    )


@router.get(PAGE + "/{language}.webmanifest")
def manifest(language: str, service: ServiceDep) -> Response:
    """What a browser shows of the app once it is installed."""
    words = Words(language)
    url = _url(service)
    told = {
        "id": PAGE,
        "name": words("tablet.app"),
        "short_name": words("tablet.short"),
        "lang": words.language,
        "start_url": PAGE,
        "scope": PAGE,
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#0b6157",
        "icons": [
            {"src": url("icon.svg"), "type": "image/svg+xml", "sizes": "any", "purpose": "any"},
            {"src": url("tablet/icon-192.png"), "type": "image/png", "sizes": "192x192"},
            {"src": url("tablet/icon-512.png"), "type": "image/png", "sizes": "512x512"},
        ],
    }
    return Response(
        json.dumps(told, ensure_ascii=False),
        media_type="application/manifest+json",
        headers=ASK_AGAIN,
    )
