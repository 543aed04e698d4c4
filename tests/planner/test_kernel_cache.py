"""Kernels kept on disk are compiled anew when any kernel's source has changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from planner.kernel import compiled

INNER = """
from planner.kernel.compiled import compiled

@compiled
def inner():
    return {value}
"""
OUTER = """
from planner.kernel.compiled import compiled
from planner.kernel.inner import inner

@compiled
def outer():
    return inner()

if __name__ == "__main__":
    print(outer(), sum(outer.stats.cache_hits.values()))
"""


def test_a_change_in_a_called_module_is_seen(tmp_path: Path) -> None:
    """The first run compiles, the second reads the disk, a third after a change compiles."""
    folder = tmp_path / "planner" / "kernel"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    shutil.copy(compiled.__file__, folder)
    (folder / "outer.py").write_text(OUTER, encoding="utf-8")
    told = []
    for value in (1, 1, 2):
        (folder / "inner.py").write_text(INNER.format(value=value), encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "planner.kernel.outer"],
            cwd=tmp_path,
            # A file of the same size and second would pass for the one that bytecode was kept of.
            env={
                **os.environ,
                "PYTHONPATH": str(tmp_path),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            check=False,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        told.append(run.stdout.split())
    assert told == [["1", "0"], ["1", "1"], ["2", "0"]]
