"""Every operation of the API asked with made-up values: it answers as it documents.

Examples are few and always the same, so that the suite stays quick; more of each are asked with
``BOOKMOBILE_FUZZ=50``.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from data.model.accounts import Role
from tests.api.plan_house import PLAN_ID, House, small_house

pytestmark = pytest.mark.thorough

EXAMPLES = int(os.environ.get("BOOKMOBILE_FUZZ", "1"))
ENDLESS = "/api/v1/events"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A service with a region, a plan and an administrator."""
    made = small_house(tmp_path_factory.mktemp("house"))
    made.add_person("root", "Root", Role.ADMIN)
    made.add_person("spare", "Spare", Role.ADMIN)
    with made.serving() as served:
        yield served


def known_ids(house: House) -> dict[str, str]:
    """Ids of things that are there, for the parameters of paths."""
    region_id = "kaliningrad"
    return {
        "region_id": region_id,
        "plan_id": PLAN_ID,
        "account_id": f"{'vera':0>32}",
        "key": "kalinovka",
        "stop_id": "kalinovka",
    }


def ask(house: House, token: str | None, operation: Any, **given_: Any) -> None:
    """Ask one operation with made-up values and check each answer."""
    session = requests.Session()
    session.trust_env = False
    if token is not None:
        session.headers["authorization"] = f"Bearer {token}"

    # Whoever is not signed in is refused before the values are looked at.
    modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if token else [])]
    for mode in modes:

        @given(case=operation.as_strategy(mode, **given_))
        @settings(
            max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        )  # fmt: skip
        def each(case: Any) -> None:
            try:
                answer = case.call(base_url=house.address, session=session, timeout=60)
            except requests.RequestException as error:
                raise AssertionError(f"{error!r} to {case.as_curl_command()}") from error
            case.validate_response(answer, checks=CHECKS)

        # Where nothing can be given, nothing can be given wrong.
        with suppress(Unsatisfiable):
            each()
    session.close()


@pytest.mark.parametrize("who", ["root", None], ids=["administrator", "nobody"])
def test_every_operation_answers_as_it_documents(house: House, who: str | None) -> None:
    """No failure of ours, no status and no shape that the document does not tell of."""
    document = requests.get(f"{house.address}/api/v1/openapi.json", timeout=30).json()
    schema = schemathesis.openapi.from_dict(document).exclude(path=ENDLESS)
    token = house.tokens.get(who or "")
    known = known_ids(house)
    faults: list[str] = []
    asked = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        names = [one["name"] for one in operation.definition.raw.get("parameters", [])]
        path = {name: known[name] for name in names if name in known}
        headers = {"If-Match": "*"} if "If-Match" in names else {}
        tries: list[dict[str, Any]] = [{}]
        if path and who:
            tries.append({"path_parameters": path, "headers": headers})
        for one in tries:
            asked += 1
            try:
                ask(house, token, operation, **one)
            except BaseExceptionGroup as group:
                faults += [f"{operation.label}: {error}" for error in group.exceptions]
            except AssertionError as error:
                faults.append(f"{operation.label}: {error}")
    assert asked > 100
    assert not faults, "\n\n".join(faults)
    with requests.get(f"{house.address}/health", timeout=30) as well:
        assert well.json()["status"] == "ok"
