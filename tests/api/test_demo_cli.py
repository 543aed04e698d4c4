"""The demo plans a region, publishes its timetable and lets each role in."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from api.cli import main
from api.database import open_database
from api.demo_cli import REGION
from api.services.demo import LOGINS, PASSWORD, is_seeded
from api.services.ledger import Ledgers
from api.settings import Settings
from data.db.engine import reading
from data.db.publication_store import newest_timetable
from data.model.loans import DueBasis
from tests.api.runner import Terminal

QUICK = ("--time-limit", 1, "--no-serve")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that was planned once."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BOOKMOBILE_CACHE", str(folder / "cache"))
        patched.setattr(sys, "argv", ["bookmobile", "demo", "--out", *map(str, (folder, *QUICK))])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code in (0, None)
    return folder


def test_the_demo_leaves_a_published_plan_and_its_files(planned: Path) -> None:
    """The map and tables lie in the folder, the timetable of the plan in the database."""
    assert (planned / "map.html").is_file()
    settings = Settings(data_dir=planned / "service")
    with open_database(settings) as engine:
        assert is_seeded(engine, REGION)
        with reading(engine) as session:
            timetable = newest_timetable(session, REGION)
    assert timetable is not None
    assert timetable.changes["added"] > 100


def test_the_demo_lends(planned: Path) -> None:
    """Readers called by numbers have, had and wait for books; two things wait for a librarian."""
    settings = Settings(data_dir=planned / "service")
    with open_database(settings) as engine, Ledgers().reading(engine, REGION) as (session, ledger):
        state = ledger.state
        assert len(state.patrons) > 200
        assert all(re.fullmatch(r"[А-Яа-я ]+ \d{4}", p.name) for p in state.patrons.values())
        lent = [loan for loan in state.loans.values() if loan.is_open]
        assert len(lent) > 100
        assert len({loan.item_id for loan in lent}) == len(lent) - 1  # one is disputed
        assert any(loan.due.basis is DueBasis.VISIT for loan in lent)
        had = lent[0].item_id
        assert all(x.is_open or x.returned_at for x in ledger.loans_of_item(session, had))
        assert any(hold.is_open for hold in state.holds.values())
        assert {s.outcome.rule for s in ledger.replay.conflicts} == {
            "returned_elsewhere", "lent_to_other"
        }  # fmt: skip


def test_the_second_start_plans_nothing(bookmobile: Terminal, planned: Path) -> None:
    """What was changed in an earlier demo is still there, and nobody waits again."""
    done = bookmobile("demo", "--out", planned, *QUICK)
    assert done.code == 0, done.said
    assert "already planned" in done.said
    assert "Written to" not in done.said


def test_each_account_that_is_printed_lets_in(planned: Path, tmp_path: Path) -> None:
    """The terminal prints the address and the accounts; each signs in; Ctrl-C ends with code 0."""
    folder = tmp_path / "demo"
    shutil.copytree(planned / "service", folder / "service")
    words = ("from api.cli import main; main()", "demo", "--out", str(folder), "--port", "0")
    child = subprocess.Popen(
        [sys.executable, "-c", *words, "--no-browser", "--lang", "en"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        assert child.stdout is not None
        told = ""
        while "analyst" not in told:
            line = child.stdout.readline()
            assert line, "the demo ended before it served"
            told += line
        found = re.search(r"http://localhost:\d+", told)
        assert found is not None
        with httpx.Client(base_url=found[0], timeout=60) as client:
            for login in LOGINS.values():
                assert login in told
                signed = client.post(
                    "/sign-in",
                    data={"login": login, "password": PASSWORD},
                    headers={"origin": found[0]},
                )
                assert signed.status_code == 303, signed.text
    finally:
        child.send_signal(signal.SIGINT)
        _, wrong = child.communicate(timeout=60)
    assert child.returncode == 0, wrong
