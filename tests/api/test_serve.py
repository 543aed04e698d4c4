"""``bookmobile serve``: one command runs all, mends what dies, and ends in good order."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from api.jobs.params import PlanParams
from api.services.jobs import hand_out, request_job
from api.settings import Settings
from api.supervisor import bind, placed, prepare_database
from api.words import Words
from data.db import job_store, region_store
from data.db.engine import open_engine, reading, writing
from data.model.accounts import PROGRAM
from data.model.errors import InputError, StoreError
from data.model.jobs import Job, JobState
from tests.api.jobs.yard import PATIENCE_S, children_of, is_running
from tests.api.runner import Terminal
from tests.plan_example import STOPS, region

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@dataclass(kw_only=True)
class Serving:
    """A ``bookmobile serve`` that runs."""

    process: subprocess.Popen[str]
    address: str
    said: list[str]
    log: Path

    def children(self) -> list[int]:
        """Processes that answer requests or do jobs; the tracker of resources is neither."""
        return [p for p in children_of(self.process.pid) if "resource_tracker" not in command(p)]

    def events(self) -> list[str]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["event"] for line in lines]


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[Serving]:
    """The command on any free port, killed at the end if it still runs."""
    log = folder / "log"
    environment = {
        **os.environ,
        "BOOKMOBILE_DATA": str(folder / "data"),
        "BOOKMOBILE_CACHE": str(folder / "cache"),
        "BOOKMOBILE_LANG": "en",
        "COLUMNS": "200",
    }
    started = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0"]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [*started, *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = [process.stdout.readline()]
        found = re.search(r"http://localhost:\d+", said[0])
        assert found, said[0] + log.read_text(encoding="utf-8")
        said.append(process.stdout.readline())
        serving = Serving(process=process, address=found[0], said=said, log=log)
        wait_until(lambda: is_well(serving))
        yield serving
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def is_well(serving: Serving) -> bool:
    assert serving.process.poll() is None, serving.log.read_text(encoding="utf-8")
    try:
        return httpx.get(f"{serving.address}/health", timeout=5, verify=False).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(holds: object) -> None:
    assert callable(holds)
    ends_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < ends_s, "waited in vain"
        time.sleep(0.1)


def ask(folder: Path, seconds: float) -> Job:
    """A job in the service's database, as a dispatcher asks for it."""
    settings = Settings(data_dir=folder / "data")
    engine = open_engine(settings.database_url)
    try:
        with writing(engine) as session:
            region_store.add_region(session, replace(region(), stops=STOPS), at=datetime.now(UTC))
        with writing(engine) as session:
            job = request_job(
                session,
                "rutland",
                PlanParams(time_limit_s=seconds),
                by=PROGRAM,
                words=Words("en"),
                at=datetime.now(UTC),
            )
    finally:
        engine.dispose()
    hand_out(settings.database_url, job)
    return job


def look(folder: Path, job: Job) -> Job:
    engine = open_engine(Settings(data_dir=folder / "data").database_url)
    try:
        with reading(engine) as session:
            return job_store.get_job(session, job.job_id)
    finally:
        engine.dispose()


@linux_only
def test_it_runs_mends_and_ends(tmp_path: Path) -> None:
    """The first start says how to sign in. A killed worker is replaced and its job done by the
    next; on SIGTERM everything ends, and what was under way waits for the next start.
    """
    with serve(tmp_path) as serving:
        assert "bookmobile account add" in serving.said[1]
        assert (tmp_path / "data" / "bookmobile.sqlite").is_file()
        job = ask(tmp_path, 2)
        wait_until(lambda: look(tmp_path, job).fraction > 0.15)
        (worker,) = [p for p in serving.children() if children_of(p)]
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: look(tmp_path, job).state.is_ended)
        ended = look(tmp_path, job)
        assert (ended.state, ended.tries) == (JobState.DONE, 2)
        assert "service.process_died" in serving.events()
        assert is_well(serving)
        family = serving.children()
        family += [child for parent in family for child in children_of(parent)]
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(60) == 0
        assert not any(is_running(pid) for pid in family)
        assert serving.events()[-1] == "service.ended"


@linux_only
def test_its_processes_do_not_outlive_it(tmp_path: Path) -> None:
    """Two processes answer and add up their figures; ``kill -9`` of the first ends them too."""
    with serve(tmp_path, "--workers", "2", "--jobs", "0") as serving:
        family = serving.children()
        assert len(family) == 2
        wait_until(lambda: serving.events().count("Application startup complete.") == 2)
        for _ in range(20):
            httpx.get(f"{serving.address}/health", verify=False)
        figures = httpx.get(f"{serving.address}/metrics").text
        found = re.search(
            r'requests_total\{method="GET",route="/health",status="200"\} (\d+)', figures
        )
        assert found and int(found[1]) >= 20
        serving.process.kill()
        wait_until(lambda: not any(is_running(pid) for pid in family))


def test_answers_are_sent_at_once() -> None:
    """What is accepted keeps no part of an answer back until another is acknowledged."""
    with bind("127.0.0.1", 0) as bound, socket.create_connection(bound.getsockname()) as caller:
        accepted, _ = bound.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert caller.recv(1) == b""


def test_a_taken_port_is_told(
    tmp_path: Path, bookmobile: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the address, the reason and the way out, before anything is started."""
    monkeypatch.setenv("BOOKMOBILE_DATA", str(tmp_path / "data"))
    with bind("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        told = bookmobile("serve", "--port", port)
    assert told.code == 2
    assert str(port) in told.said and "--port" in told.said


def test_a_database_out_of_reach_is_told(tmp_path: Path) -> None:
    """Its address is named without the password."""
    settings = Settings(
        data_dir=tmp_path,
        cache_dir=tmp_path,
        database_url="postgresql+psycopg://olga:secret@127.0.0.1:1/none",
    )
    with pytest.raises(StoreError) as refused:
        prepare_database(settings)
    assert refused.value.code == "store.unreachable"
    assert "secret" not in str(refused.value)
    assert "olga" in str(refused.value)


def test_an_address_that_is_not_here_is_refused() -> None:
    """A name that leads nowhere, an address of another machine."""
    for host in ("no.such.host.invalid", "203.0.113.9"):
        with pytest.raises(InputError) as refused:
            bind(host, 0)
        assert refused.value.code == "serve.cannot_listen"


def test_the_public_address_follows_the_port() -> None:
    """Unless it was set: then it stays, whatever the port."""
    own = Settings(port=8000)
    assert placed(own, host="0.0.0.0", port=9000).public_url == "http://localhost:9000"
    named = Settings(port=8000, public_url="https://library.example")
    assert placed(named, host=None, port=9000).public_url == "https://library.example"
