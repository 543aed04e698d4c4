"""The examples of the documentation run, in order, in an empty folder."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [p.name for p in sorted(DOCS.glob("*.md")) if BLOCK.search(p.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block runs on what the ones before it made; an error names the line of the page."""
    monkeypatch.chdir(tmp_path)
    text = (DOCS / page).read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for block in BLOCK.finditer(text):
        above = text.count("\n", 0, block.start(1))
        code = compile("\n" * above + block.group(1), str(DOCS / page), "exec")
        exec(code, names)


def test_there_is_a_guide_with_examples() -> None:
    """A page moved or a fence misspelt would leave nothing to run."""
    assert "python.md" in PAGES
