"""A copied token: noticed by the server, told to the tablet, the dispatcher and the librarian."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from api.auth import hash_token
from data.db import devices_store
from data.db.engine import writing
from tests.api.circulation.library import Library, TabletAt, library, pair
from tests.api.tracking.depot import REGION


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with library(tmp_path_factory.mktemp("doubled")) as made:
        yield made


def test_two_tablets_under_one_token_are_noticed(one: Library) -> None:
    """Both tablets learn of it once both go on, everything of both is kept, the desk shows it."""
    device, token = pair(one.engine, 1)
    tablets = [TabletAt(device=device, word=word) for word in ("aaaaaa", "bbbbbb")]
    told = []
    for n in range(4):
        tablet = tablets[n % 2]
        one.depot.now += timedelta(minutes=5)
        tablet.write("count", one.depot.now, "s1", counts={"copies_made": 1})
        answer = one.bring(token, tablet)
        told.append(answer["is_doubled"])
        assert answer["answers"][-1]["answer"] == "accepted"
    assert told == [False, False, True, True]
    page = one.depot.client.get(
        f"/desk/{REGION}/circulation",
        headers={"authorization": "Bearer token-of-olga", "accept-language": "en"},
    )
    assert "Two devices write under the key of the tablet “Tablet 1”" in page.text


def test_a_tablet_that_is_paired_anew_is_clean_again(one: Library) -> None:
    """What was under the old token does not count against the new one."""
    device, token = pair(one.engine, 2)
    tablets = [TabletAt(device=device, word=word) for word in ("cccccc", "dddddd")]
    for n in range(3):
        one.depot.now += timedelta(minutes=5)
        tablets[n % 2].write("count", one.depot.now, "s1", counts={"copies_made": 1})
        last = one.bring(token, tablets[n % 2])
    assert last["is_doubled"] is True
    one.depot.now += timedelta(minutes=5)
    with writing(one.engine) as session:
        until = one.depot.now + timedelta(minutes=10)
        devices_store.offer_pairing(session, device.device_id, "anew", until)
        devices_store.pair(session, "anew", hash_token("token-anew"), one.depot.now)
    second = TabletAt(device=device, word="eeeeee")
    second.write("count", one.depot.now, "s1", counts={"copies_made": 1})
    assert one.bring("token-anew", second)["is_doubled"] is False
