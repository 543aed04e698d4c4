"""What holds for every test: Hypothesis's examples, who compiles kernels, what was left out."""

import gc
import os
import re
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

# A busy machine takes longer than Hypothesis's 200 ms now and then; that is no counter-example.
# A change is judged by the same examples as the one before it; new ones are sought on demand.
settings.register_profile(
    "bookmobile", deadline=None, derandomize=not os.environ.get("BOOKMOBILE_NEW_EXAMPLES")
)
settings.load_profile("bookmobile")

# The matrices here are small: several threads at one of them mostly wait for each other, and the
# processes of a run have the cores already. Read when numpy is loaded, later than this.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

TESTS = Path(__file__).parent
SEARCHING = ("api", "benchmarks", "planner", "test_docs.py")
"""Parts of the tests that run the search; the others come first and wait for no compiler."""
SHARED = "BOOKMOBILE_TESTS_SHARED"
"""Names, for the processes of a run, a folder of them all."""
PATIENCE_S = 300
DEBIAN = re.compile(r"Debian packages? ([a-z0-9 +.-]+)")
"""How the reason of a test that is left out names what it needs."""


def _searches(item: pytest.Item) -> bool:
    path = item.path
    return path.is_relative_to(TESTS) and path.relative_to(TESTS).parts[0] in SEARCHING


def _worker(config: pytest.Config) -> str:
    """Which of several processes this is; empty for the one that a person started."""
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


def _compiled() -> Path:
    """Is there once the kernels are compiled."""
    return Path(os.environ[SHARED]) / "compiled"


def pytest_configure(config: pytest.Config) -> None:
    """Give several processes a folder."""
    if not _worker(config) and config.getoption("numprocesses", None):
        folder = TemporaryDirectory(prefix="bookmobile-")
        config.add_cleanup(folder.cleanup)
        os.environ[SHARED] = folder.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests without a search come first."""
    items.sort(key=_searches)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: nobody need look for garbage in it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """The first of several processes compiles the kernels for all of them.

    From nothing, as in a fresh checkout, that takes a core half a minute, in each process anew.
    """
    if _worker(session.config) == "gw0" and any(map(_searches, session.items)):
        from planner.warm_up import warm_up

        try:
            warm_up()
        finally:
            _compiled().touch()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What may search waits until the kernels are compiled."""
    if _worker(item.config) and _searches(item):
        until = time.monotonic() + PATIENCE_S
        while not _compiled().exists() and time.monotonic() < until:
            time.sleep(0.1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that were left out for want of a Debian package, by package."""
    left_out: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.getreports("skipped"):
        if found := DEBIAN.search(str(report.longrepr)):
            left_out[found[1].strip()].append(report.nodeid)
    for packages, tests in sorted(left_out.items()):
        terminalreporter.section(f"left out: {len(tests)} for want of {packages}")
        terminalreporter.line(f"To run them: apt-get install {packages.replace(' and ', ' ')}")
        for nodeid in sorted(tests):
            terminalreporter.line(f"  {nodeid}")
