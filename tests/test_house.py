"""The house rules that no type checker sees: packaging, papers, layers, what is tracked."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("planner", "fleet", "api", "maps", "data")
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)

# Written in pieces, so that this file does not find itself.
FORBIDDEN = {
    "a registry address": re.compile(
        r"pypi\.or" + r"g/simple|pythonhost" + r"ed\.org|registry\.npm" + r"js\.org"
    ),
    "a path of one machine": re.compile(r"(?<![\w.~])/(wor" + r"k|roo" + r"t|hom" + r"e)/\w"),
    "a note of unfinished work": re.compile(
        r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|NotImpl" + r"ementedError|pragma: no" + r" cover"
    ),
}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked_texts() -> list[tuple[str, str]]:
    """Every tracked text file but the vendored ones, with its text."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    texts = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if "vendor" in Path(name).parts or not path.is_file():
            continue
        try:
            texts.append((name, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue  # pictures and other binary files
    return texts


def test_version_and_changelog_agree() -> None:
    """The newest dated heading of the changelog is the version that is built and installed."""
    version = project()["project"]["version"]
    headings = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$",
        (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert headings[0] == version
    assert metadata.version("bookmobile-planner") == version


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str) -> None:
    """No tracked text names a registry, a path of one machine or unfinished work."""
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for name, text in tracked_texts()
        for match in FORBIDDEN[what].finditer(text)
    ]
    assert not found, f"{what}: {found}"


def test_wheel_holds_what_the_program_reads(tmp_path: Path) -> None:
    """The built wheel has every package with its typing mark, words, samples and map engine."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for package in PACKAGES:
        assert f"{package}/__init__.py" in names
        assert f"{package}/py.typed" in names
    for folder, pattern in (
        ("api/locales", "*.po"),
        ("data/samples", "*"),
        ("maps/vendor", "*"),
        ("api/web/static", "*"),
        ("api/web/templates", "*.html"),
        ("api/print/templates", "*.typ"),
        ("api/print/fonts", "*"),
        ("data/db/migrations", "*"),
    ):
        here = {
            p.relative_to(ROOT).as_posix()
            for p in (ROOT / folder).rglob(pattern)
            if p.is_file() and "__pycache__" not in p.parts
        }
        assert here, f"nothing in {folder}"
        assert here <= names, f"not in the wheel: {sorted(here - names)}"
    assert not [n for n in names if n.split("/")[0] in ("tests", "docs", "start.py")]


def test_readmes_name_both_commands_and_each_other() -> None:
    """Either language tells how to start and how to test, and links to the other."""
    for name, other in (("README.md", "README.ru.md"), ("README.ru.md", "README.md")):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "python3 start.py demo" in text
        assert "python3 start.py test" in text
        assert f"]({other})" in text


def test_links_of_the_papers_lead_somewhere() -> None:
    """Every relative link of a Markdown file names a file or folder that is there."""
    dead = []
    papers = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for paper in papers:
        for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)", paper.read_text(encoding="utf-8")):
            if "://" not in target and not (paper.parent / target).exists():
                dead.append(f"{paper.relative_to(ROOT)}: {target}")
    assert not dead


def test_every_decision_is_listed() -> None:
    """The list of decisions names every record, and their numbers run without a gap."""
    folder = ROOT / "docs" / "adr"
    records = sorted(p.name for p in folder.glob("[0-9]*.md"))
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", index) == records
    assert [int(r[:4]) for r in records] == list(range(1, len(records) + 1))


@pytest.mark.parametrize(
    ("file", "extras"), [("requirements.txt", ()), ("requirements-dev.txt", ("dev",))]
)
def test_locked_versions_meet_the_projects_bounds(file: str, extras: tuple[str, ...]) -> None:
    """Each dependency that the project names is locked, hashed and within its bounds."""
    text = (ROOT / file).read_text(encoding="utf-8")
    locked = {name.lower().replace("_", "-"): version for name, version in LOCKED.findall(text)}
    table = project()["project"]
    wanted = [*table["dependencies"], "hatchling", "editables"]
    for extra in extras:
        wanted += table["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        name = requirement.name.lower().replace("_", "-")
        assert name in locked, f"{file} lacks {name}; run .ci/lock"
        assert locked[name] in requirement.specifier, f"{name}: run .ci/lock"
    assert len(re.findall(r"==[^\n]*\\\n    --hash=sha256:", text)) == len(locked)


def test_locked_files_agree() -> None:
    """Whoever only runs the program has the versions that are tested."""
    run, test = (
        dict(LOCKED.findall((ROOT / name).read_text(encoding="utf-8")))
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert {name: test.get(name) for name in run} == run


def test_layers_hold() -> None:
    """Imports point one way; ``pyproject.toml`` says which."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_start_py_parses_on_old_pythons() -> None:
    """``start.py`` keeps to the syntax and the library of Python 3.8."""
    import ast

    source = (ROOT / "start.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported <= set(sys.stdlib_module_names)
