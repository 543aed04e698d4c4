"""The vendored browser files: all there, loadable as they lie, told of in the README."""

import io
import re
import tarfile
from pathlib import Path

import pytest

from api.web.vendoring import PACKAGES, VENDOR, Package, browser_text, copy_files, readme

SCRIPTS = sorted(VENDOR.rglob("*.mjs"))


def test_readme_names_every_package_and_version() -> None:
    """The committed README is the one that the table of packages gives."""
    assert (VENDOR / "README.md").read_text(encoding="utf-8") == readme()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.name)
def test_files_of_a_package_are_there_with_its_licence(package: Package) -> None:
    """Every file of the table lies in its folder, not empty, with a licence beside it."""
    folder = VENDOR / package.folder
    for name in package.files.values():
        assert (folder / name).stat().st_size > 0, name
    assert list(folder.glob("LICENSE*")), f"{package.folder} has no licence"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.name)
def test_scripts_import_only_files_beside_them(script: Path) -> None:
    """No module has a bare import, no link to a source map, and what it imports exists."""
    text = script.read_text(encoding="utf-8")
    assert "sourceMappingURL" not in text
    for name in re.findall(r'\b(?:from|import)\s*"([^"]+)"', text):
        assert name.startswith("./"), name
        assert (script.parent / name).is_file(), name


def test_imports_are_rewritten_and_source_maps_dropped() -> None:
    """A package's module comes out with neighbours for bare names and without its map."""
    text = 'import{a as b}from"preact";import"x";from"preact/hooks"//# sourceMappingURL=a.mjs.map'
    changed = browser_text(text, PACKAGES[0])
    assert changed == 'import{a as b}from"./preact.mjs";import"x";from"./hooks.mjs"\n'


def test_a_file_that_a_package_lacks_is_named(tmp_path: Path) -> None:
    """A renamed file in a new version stops the renewal; nothing of it is written."""
    packed = tmp_path / "x.tgz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package/other.js"), io.BytesIO())
    with pytest.raises(KeyError, match=r"htmx\.min\.js"):
        copy_files(PACKAGES[0], packed, tmp_path / "vendor")
    assert not list((tmp_path / "vendor").rglob("*.js"))
