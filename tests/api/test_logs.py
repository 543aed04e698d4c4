"""Logs are lines of JSON with the number of the request, and hold no names and no addresses."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.logs import set_up_logs
from api.setting_variables import Environment
from api.settings import Settings
from data.db.engine import writing
from data.model.accounts import Role
from tests.api.plan_house import House
from tests.databases import migrated


@pytest.fixture
def kept_logging() -> Iterator[None]:
    """Logging as it was before, once the test is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines_of(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.usefixtures("kept_logging")
def test_a_request_is_noted_without_what_it_was_about(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The pattern of its path, its status and time; the number that came with it stays."""
    house = House(tmp_path)
    house.add_person("dora", "Дора Иванова", Role.DISPATCHER)
    with house.serving():
        set_up_logs(_json())
        capfd.readouterr()
        dora = house.client("dora")
        answer = dora.send("GET", "/plans/secret-plan", x_request_id="abcdef-123456")
        unsafe = dora.send("GET", "/plans/other?card=no-seventy-seven", x_request_id="x y\tz" * 30)
        told = lines_of(capfd.readouterr().err)
    assert answer.headers["x-request-id"] == "abcdef-123456"
    assert len(unsafe.headers["x-request-id"]) == 32
    told = [line for line in told if line["event"] == "request" and line["route"] != "/health"]
    first, second = told
    assert first["request_id"] == "abcdef-123456"
    assert second["request_id"] == unsafe.headers["x-request-id"]
    for line in (first, second):
        assert (line["route"], line["status"], line["method"]) == (
            "/api/v1/plans/{plan_id}",
            404,
            "GET",
        )
        assert float(str(line["ms"])) >= 0
    text = json.dumps(told, ensure_ascii=False)
    for secret in ("secret-plan", "card", "no-seventy-seven", "Дора", "dora"):
        assert secret not in text


def _json() -> Settings:
    return Settings(environment=Environment.PRODUCTION)


@pytest.mark.usefixtures("kept_logging")
def test_failures_are_told_with_their_place(capfd: pytest.CaptureFixture[str]) -> None:
    """A trace is part of its line; extra fields stand by name; text in Russian stays readable."""
    set_up_logs(_json())
    try:
        raise ValueError("книга")
    except ValueError:
        logging.getLogger("here").exception("job.crashed", extra={"job_id": "j"})
    (line,) = lines_of(capfd.readouterr().err)
    assert (line["event"], line["level"], line["job_id"]) == ("job.crashed", "error", "j")
    trace = line["exception"]
    assert isinstance(trace, list)
    assert (trace[0]["exc_type"], trace[0]["exc_value"]) == ("ValueError", "книга")


@pytest.mark.usefixtures("kept_logging")
def test_in_development_lines_are_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    """No JSON where a person reads along."""
    set_up_logs(Settings(environment=Environment.DEVELOPMENT))
    logging.getLogger("here").warning("job.lost", extra={"tries": 2})
    told = capfd.readouterr().err
    assert "job.lost" in told and "tries=2" in told
    with pytest.raises(json.JSONDecodeError):
        json.loads(told)


def _sign_in(password: str) -> None:
    assert password
    raise RuntimeError("no database")


@pytest.mark.usefixtures("kept_logging")
@pytest.mark.parametrize("environment", list(Environment))
def test_a_failure_tells_nothing_of_what_its_functions_held(
    environment: Environment, capfd: pytest.CaptureFixture[str]
) -> None:
    """A password that was on its way when something broke stands in no log."""
    set_up_logs(Settings(environment=environment))
    try:
        _sign_in("correct horse")
    except RuntimeError:
        logging.getLogger("here").exception("request.failed")
    told = capfd.readouterr().err
    assert "no database" in told
    assert "_sign_in" in told
    assert "correct horse" not in told.replace('_sign_in("correct horse")', "")


def test_a_refused_row_tells_nothing_of_its_values(tmp_path: Path) -> None:
    """Not even the hash of a password that could not be stored."""
    with migrated(f"sqlite:///{tmp_path / 'service.db'}") as engine:
        statement = text("insert into account (account_id, password_hash) values ('a', :hash)")
        with pytest.raises(SQLAlchemyError) as refused, writing(engine) as session:
            session.execute(statement, {"hash": "argon2-secret"})
    assert "argon2-secret" not in str(refused.value)
