"""Jobs over HTTP: who may ask, what is answered, what repeats and what is refused."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.jobs.queue import LONG, JobQueue
from api.services.jobs import MOST_OPEN
from data.db import job_store
from data.db.engine import writing
from data.model.accounts import Role
from data.model.jobs import Claim, JobState
from tests.api.plan_house import BEGAN_AT, PLAN_ID, House
from tests.plan_example import STOPS, plan, region, request

JOBS = "/regions/rutland/jobs"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A service with two regions and a plan; nobody does the jobs."""
    house = House(tmp_path_factory.mktemp("house"))
    for login, role in (("dora", Role.DISPATCHER), ("libby", Role.LIBRARIAN), ("ada", Role.ADMIN)):
        house.add_person(login, login.title(), role)
    house.add_region(replace(region(), stops=STOPS))
    house.add_region(replace(region(), region_id="leicester"))
    house.add_plan(request(), plan())
    with house.serving():
        yield house


@pytest.fixture(autouse=True)
def nothing_open(house: House) -> Iterator[None]:
    """Each test ends what it asked for."""
    yield
    with writing(house.service.engine) as session:
        for job in job_store.list_jobs(session, "rutland", limit=1000):
            job_store.cancel(session, job.job_id, region_id="rutland", at=BEGAN_AT)


def test_a_job_is_accepted_and_followed(house: House) -> None:
    """The answer comes at once: where to look, what was asked, how it stands in one's language."""
    dora = house.client("dora", "ru")
    answer = dora.send("POST", JOBS, {"kind": "plan", "weeks": 4, "time_limit_s": 5})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/api/v1{JOBS}/{job['job_id']}"
    assert (job["state"], job["kind"], job["message"]) == ("queued", "plan", "Ждёт своей очереди")
    assert job["params"]["weeks"] == 4
    assert re.fullmatch(r"План от \d+ \S+ \d{4}\sг\.", job["params"]["name"])
    queue = JobQueue(house.settings.database_url)
    assert queue.next_id(LONG) == job["job_id"]
    queue.close()
    seen = dora.get(f"{JOBS}/{job['job_id']}")
    assert seen.json() == job
    ended = dora.send("POST", f"{JOBS}/{job['job_id']}/cancel").json()
    assert (ended["state"], ended["is_cancelled"]) == ("cancelled", True)
    again = dora.send("POST", f"{JOBS}/{job['job_id']}/cancel")
    assert (again.status_code, again.json()) == (200, ended)


def test_a_repeated_request_makes_one_job(house: House) -> None:
    """With one Idempotency-Key the first answer is given again; another body is refused."""
    dora = house.client("dora")
    body = {"kind": "explain", "plan_id": PLAN_ID}
    first = dora.send("POST", JOBS, body, idempotency_key="k1")
    second = dora.send("POST", JOBS, body, idempotency_key="k1")
    assert (second.status_code, second.json()) == (202, first.json())
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    other = dora.send("POST", JOBS, {**body, "stop_id": "wing"}, idempotency_key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "request.key_reused")
    assert len(dora.get(JOBS, state="queued").json()["items"]) == 1


def test_lists_are_filtered_and_paged(house: House) -> None:
    """By state, kind and plan, the newest first, page by page."""
    dora = house.client("dora")
    made = [
        dora.send("POST", JOBS, body).json()["job_id"]
        for body in (
            {"kind": "explain", "plan_id": PLAN_ID},
            {"kind": "replan", "plan_id": PLAN_ID},
            {"kind": "frontier"},
        )
    ]
    page = dora.get(JOBS, state="queued", limit=2)
    assert [j["job_id"] for j in page.json()["items"]] == made[:0:-1]
    rest = dora.get(JOBS, state="queued", limit=2, after=page.json()["next"])
    assert [j["job_id"] for j in rest.json()["items"]] == made[:1]
    assert rest.json()["next"] is None
    of_plan = dora.get(JOBS, plan=PLAN_ID, state=["queued", "running"]).json()["items"]
    assert [j["kind"] for j in of_plan] == ["replan", "explain"]
    assert "result" not in of_plan[0]
    replan = dora.get(f"{JOBS}/{made[1]}").json()
    assert (replan["plan_id"], replan["params"]["expect_version"]) == (PLAN_ID, 1)


def test_what_runs_is_told_in_words(house: House) -> None:
    """Figures are written as the language does; the codes stand beside the words."""
    dora = house.client("dora", "ru")
    job_id = dora.send("POST", JOBS, {"kind": "plan"}).json()["job_id"]
    facts = {"prize": 12345, "hours": 64, "gap": 3}
    with writing(house.service.engine) as session:
        job = job_store.claim(session, job_id, worker="w", at=BEGAN_AT)
        assert job is not None
        held = Claim(job_id=job_id, worker="w", tries=1)
        told = replace(job.told, phase="jobs.phase.solve", code="jobs.plan.best_below", facts=facts)
        job_store.beat(session, held, at=BEGAN_AT, fraction=0.5, told=told)
    seen = dora.get(f"{JOBS}/{job_id}").json()
    assert (seen["state"], seen["fraction"], seen["phase"]) == ("running", 0.5, "Составляю выезды")
    assert seen["message"].replace("\xa0", " ") == (
        "Лучший пока: 12 345 жителей с учётом весов, 64 ч в пути; до наибольшего возможного "
        "не более 3 %"
    )
    assert seen["told"]["facts"] == facts
    with writing(house.service.engine) as session:
        job_store.finish(session, held, JobState.FAILED, at=BEGAN_AT)


def test_who_may_not_is_refused(house: House) -> None:
    """Nobody without signing in, no librarian, nothing through another region's address."""
    body = {"kind": "frontier"}
    assert house.client().send("POST", JOBS, body).status_code == 401
    assert house.client("libby").send("POST", JOBS, body).status_code == 403
    assert house.client("libby").get(JOBS).status_code == 403
    dora, ada = house.client("dora"), house.client("ada")
    job_id = ada.send("POST", JOBS, body).json()["job_id"]
    for answer in (
        dora.get(f"/regions/leicester/jobs/{job_id}"),
        dora.send("POST", f"/regions/leicester/jobs/{job_id}/cancel"),
        dora.get(f"/regions/leicester/jobs/{job_id}/choices"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "jobs.unknown")
    elsewhere = {"kind": "explain", "plan_id": PLAN_ID}
    answer = dora.send("POST", "/regions/leicester/jobs", elsewhere)
    assert (answer.status_code, answer.json()["code"]) == (404, "plan.unknown")


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"kind": "guess"}, 422, "request.invalid"),
        ({}, 422, "request.invalid"),
        ({"kind": "plan", "time_limit_s": 0}, 422, "request.invalid"),
        ({"kind": "plan", "time_limit_s": 1e9}, 422, "request.invalid"),
        ({"kind": "plan", "time_limit_s": "NaN"}, 422, "request.invalid"),
        ({"kind": "plan", "weeks": 7}, 422, "request.invalid"),
        ({"kind": "plan", "threads": 10_000}, 422, "request.invalid"),
        ({"kind": "plan", "surprise": 1}, 422, "request.invalid"),
        ({"kind": "plan", "name": "a\u0000b"}, 422, "request.invalid"),
        ({"kind": "plan", "name": "x" * 201}, 422, "request.invalid"),
        ({"kind": "plan", "pin": ["x"] * 2001}, 422, "request.invalid"),
        ({"kind": "plan", "start_date": "2026-13-01"}, 422, "request.invalid"),
        ({"kind": "plan", "until_date": "2026-01-01", "weeks": 2}, 422, "request.until_and_weeks"),
        ({"kind": "frontier", "num_plans": 2}, 422, "request.invalid"),
        ({"kind": "replan", "plan_id": PLAN_ID, "expect_version": 7}, 409, "store.stale"),
        ({"kind": "replan", "plan_id": "../etc/passwd"}, 404, "plan.unknown"),
        ({"kind": "plan", "from_plan_id": "none"}, 404, "plan.unknown"),
    ],
)
def test_wrong_requests_are_refused(
    house: House, body: dict[str, object], status: int, told: str
) -> None:
    """Each with its status and a message in words; no job is made."""
    dora = house.client("dora", "ru")
    answer = dora.send("POST", JOBS, body)
    assert (answer.status_code, answer.json()["code"]) == (status, told)
    assert re.search("[а-я]", answer.json()["message"])
    assert dora.get(JOBS, state="queued").json()["items"] == []


def test_a_region_can_only_wait_for_so_many(house: House) -> None:
    """The next one is told how many wait, and when to come again."""
    dora = house.client("dora")
    for _ in range(MOST_OPEN):
        assert dora.send("POST", JOBS, {"kind": "frontier"}).status_code == 202
    answer = dora.send("POST", JOBS, {"kind": "frontier"})
    assert (answer.status_code, answer.json()["code"]) == (429, "jobs.too_many")
    assert answer.json()["facts"] == {"n": MOST_OPEN, "limit": MOST_OPEN}
    assert int(answer.headers["retry-after"]) > 0


def test_hostile_words_stay_words(house: House) -> None:
    """A script in a name is stored and given back as the text that it is, as JSON."""
    dora = house.client("dora")
    name = "<script>alert(1)</script>"
    answer = dora.send("POST", JOBS, {"kind": "plan", "name": name})
    assert answer.json()["params"]["name"] == name
    assert answer.headers["content-type"] == "application/json"


def test_figures_and_numbers_of_requests(house: House, tmp_path: Path) -> None:
    """/metrics tells requests by pattern, jobs by state and the database, and no id or name."""
    dora = house.client("dora")
    job_id = dora.send("POST", JOBS, {"kind": "plan", "name": "Secret name"}).json()["job_id"]
    answer = dora.get(f"{JOBS}/{job_id}")
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    text = house._http.get("/metrics").text
    figures = dict(re.findall(r"^(bookmobile_\S+) (\S+)$", text, re.MULTILINE))
    one = 'bookmobile_requests_total{method="GET",route="%s",status="200"}'
    assert float(figures[one % "/api/v1/regions/{region_id}/jobs/{job_id}"]) >= 1
    assert figures['bookmobile_jobs{state="queued"}'] == "1.0"
    assert float(figures["bookmobile_oldest_queued_job_seconds"]) >= 0
    assert figures["bookmobile_database_up"] == "1.0"
    assert figures["bookmobile_open_streams"] == "0.0"
    for secret in (job_id, "Secret", "rutland", "dora"):
        assert secret not in text
