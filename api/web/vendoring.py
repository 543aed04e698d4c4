"""Renew the third-party browser files: ``python -m api.web.vendoring`` (needs npm).

Every file is copied from its npm package into ``static/vendor``, which is committed: an
installed program needs no Node, and no page needs another server. Changed in the copies are
only the imports (a bare ``from "preact"`` needs an import map, which a strict content security
policy blocks) and the links to source maps that are not shipped.
"""

import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"

REWRITES = {
    'from"preact/hooks"': 'from"./hooks.mjs"',
    'from"preact"': 'from"./preact.mjs"',
    'from"@preact/signals-core"': 'from"./signals-core.mjs"',
    'from "./zxing-exported.js"': 'from "./zxing-exported.mjs"',
}
SOURCE_MAP = re.compile(r"\s*//# sourceMappingURL=\S+\s*\Z|\s*/\*# sourceMappingURL=\S+ \*/\s*\Z")

# The package's browser file is a script that sets one variable and holds its own inflate;
# its ES module would need a second package of 90 KB.
PMTILES_EXPORT = (
    "\nexport const {PMTiles,Protocol,FetchSource,EtagMismatch,Compression,TileType,"
    "SharedPromiseCache,ResolvedValueCache}=pmtiles;\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One npm package: where its files go, and how they are named there."""

    name: str
    version: str
    licence: str
    folder: str
    files: dict[str, str]
    """Path in the package to file name in the folder."""
    appended: str = ""


def _noto_files() -> dict[str, str]:
    styles = ("400-normal", "500-normal", "400-italic")
    names = [f"noto-sans-{script}-{s}.woff2" for script in ("latin", "cyrillic") for s in styles]
    return {f"files/{name}": name for name in names} | {"LICENSE": "LICENSE"}


PACKAGES = (
    Package(
        name="htmx.org",
        version="4.0.1",
        licence="0BSD",
        folder="htmx",
        files={
            "dist/htmx.min.js": "htmx.min.js",
            "dist/ext/hx-sse.min.js": "hx-sse.min.js",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        name="preact",
        version="11.2.0",
        licence="MIT",
        folder="preact",
        files={
            "dist/preact.mjs": "preact.mjs",
            "hooks/dist/hooks.mjs": "hooks.mjs",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        name="@preact/signals",
        version="2.11.4",
        licence="MIT",
        folder="preact",
        files={"dist/signals.mjs": "signals.mjs", "LICENSE": "LICENSE-signals"},
    ),
    Package(
        name="@preact/signals-core",
        version="1.14.5",
        licence="MIT",
        folder="preact",
        files={"dist/signals-core.mjs": "signals-core.mjs", "LICENSE": "LICENSE-signals-core"},
    ),
    Package(
        name="htm",
        version="3.1.1",
        licence="Apache-2.0",
        folder="preact",
        files={"dist/htm.mjs": "htm.mjs", "LICENSE": "LICENSE-htm"},
    ),
    Package(
        name="sortablejs",
        version="1.15.7",
        licence="MIT",
        folder="sortable",
        files={"modular/sortable.esm.js": "sortable.mjs", "LICENSE": "LICENSE"},
    ),
    Package(
        name="maplibre-gl",
        version="6.17.0",
        licence="BSD-3-Clause",
        folder="maplibre",
        files={
            "dist/maplibre-gl.mjs": "maplibre-gl.mjs",
            "dist/maplibre-gl-worker.mjs": "maplibre-gl-worker.mjs",
            "dist/maplibre-gl.css": "maplibre-gl.css",
            "LICENSE.txt": "LICENSE",
        },
    ),
    Package(
        name="pmtiles",
        version="4.5.0",
        licence="BSD-3-Clause",
        folder="pmtiles",
        files={"dist/pmtiles.js": "pmtiles.mjs"},
        appended=PMTILES_EXPORT,
    ),
    Package(
        name="@protomaps/basemaps",
        version="5.7.2",
        licence="BSD-3-Clause",
        folder="basemaps",
        files={"dist/esm/index.js": "basemaps.mjs"},
    ),
    Package(
        name="barcode-detector",
        version="3.2.2",
        licence="MIT",
        folder="barcode",
        files={
            "dist/es/ponyfill.js": "barcode.mjs",
            "dist/es/zxing-exported.js": "zxing-exported.mjs",
            "LICENSE": "LICENSE",
        },
    ),
    # The version that barcode-detector names: it checks the file's hash. zxing-cpp within it is
    # under Apache-2.0.
    Package(
        name="zxing-wasm",
        version="3.1.3",
        licence="MIT; zxing-cpp within: Apache-2.0",
        folder="barcode",
        files={
            "dist/reader/zxing_reader.wasm": "zxing_reader.wasm",
            "LICENSE": "LICENSE-zxing-wasm",
        },
    ),
    Package(
        name="@fontsource/noto-sans",
        version="5.3.0",
        licence="OFL-1.1",
        folder="noto-sans",
        files=_noto_files(),
    ),
)

README = """# Vendored browser files

Third-party files, so that every page works with no server but ours. Written by
`python -m api.web.vendoring`, whose table names packages, versions and files; it asks `npm pack`
for each package. Changed in the copies: bare imports point at the files beside them, links to
source maps are gone, `pmtiles.mjs` ends with an `export` line. The packages `pmtiles` and
`@protomaps/basemaps` carry no licence file; the `LICENSE` in their folders is that of their
repositories, put there by hand. `noto-sans/noto-sans.css` is ours.

To renew: change the version in `api/web/vendoring.py`, run it, read the difference, run
`tests/api/test_vendoring.py`, `tests/e2e`.

| Folder | Package (npm) | Version | Licence | Files |
| --- | --- | --- | --- | --- |
"""


def readme() -> str:
    """Give the README of the vendored folder, table and all."""
    return README + "".join(
        f"| {p.folder} | {p.name} | {p.version} | {p.licence} | {', '.join(p.files.values())} |\n"
        for p in PACKAGES
    )


def browser_text(text: str, package: Package) -> str:
    """Make a script or sheet of a package loadable as it lies, with no build step."""
    for bare, beside in REWRITES.items():
        text = text.replace(bare, beside)
    return SOURCE_MAP.sub("", text).rstrip() + "\n" + package.appended.lstrip()


def copy_files(package: Package, packed: Path, vendor: Path) -> None:
    """Copy the files of a packed package (.tgz) into its folder under ``vendor``."""
    folder = vendor / package.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(packed) as archive:
        for inside, name in package.files.items():
            member = archive.extractfile(f"package/{inside}")
            if member is None:
                raise FileNotFoundError(f"{package.name}@{package.version} has no file {inside}")
            content = member.read()
            if Path(name).suffix in {".js", ".mjs", ".css"}:
                content = browser_text(content.decode("utf-8"), package).encode("utf-8")
            (folder / name).write_bytes(content)


def main() -> None:
    """Fetch every package by npm and write the folder and its README."""
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            asked = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
            packed = subprocess.run(asked, cwd=scratch, check=True, capture_output=True, text=True)
            copy_files(package, Path(scratch) / packed.stdout.strip(), VENDOR)
    (VENDOR / "README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    main()
