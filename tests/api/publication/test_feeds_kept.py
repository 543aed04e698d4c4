"""What is made for readers is made once, kept within a bound and of the newest state alone."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.services.public import PublishedCache
from api.services.public_feeds import MadeFeeds
from data.model.errors import InputError
from tests.api.publication.office import REGION, Office


def test_of_a_page_that_is_made_each_minute_one_is_kept() -> None:
    """Seven hours of a page of half a megabyte are half a megabyte."""
    feeds = MadeFeeds()
    for minute in range(400):
        made = feeds.get("page", lambda: bytes(500_000), state=str(minute))
        assert len(made) == 500_000
    assert feeds.num_bytes == 500_000


def test_what_was_not_asked_for_longest_goes_first() -> None:
    """Bytes are the limit; a paper above all of it is given and not kept."""
    feeds = MadeFeeds(most_bytes=100)
    for tag in ("a", "b"):
        feeds.get(tag, lambda: bytes(40))
    feeds.get("a", lambda: bytes(1))
    feeds.get("c", lambda: bytes(40))
    assert feeds.num_bytes == 80
    assert len(feeds.get("a", lambda: bytes(1))) == 40, "kept"
    assert len(feeds.get("b", lambda: bytes(2))) == 2, "gone"
    assert len(feeds.get("huge", lambda: bytes(1000))) == 1000
    assert feeds.num_bytes <= 100


def test_many_who_ask_at_once_wait_for_one() -> None:
    """Ten first requests make a paper once; two papers do not wait for one another."""
    feeds, made = MadeFeeds(), list[str]()
    both = threading.Barrier(2)

    def slow(tag: str) -> bytes:
        made.append(tag)
        both.wait(timeout=10)
        time.sleep(0.05)
        return tag.encode()

    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(feeds.get, t, lambda t=t: slow(t)) for t in ("x", "y") * 10]  # type: ignore[misc]
        told = [one.result() for one in asked]
    assert sorted(made) == ["x", "y"]
    assert told == [b"x", b"y"] * 10


def test_what_cannot_be_made_is_tried_again() -> None:
    """A refusal is nobody else's: the next one who asks gets a try of its own."""
    feeds = MadeFeeds()

    def refused() -> bytes:
        raise InputError("gtfs.nothing", region="k", date="2026-12-01")

    for _ in range(2):
        with pytest.raises(InputError):
            feeds.get("x", refused)
    assert feeds.get("x", lambda: b"made") == b"made"


def test_of_a_region_the_newest_alone_is_kept(office: Office) -> None:
    """What stood before a change is let go, with all visits ever promised."""
    office.publish()
    cache = PublishedCache()
    first = cache.get(office.engine, REGION)
    assert cache.get(office.engine, REGION) is first
    office.cancel("visit", visit_id=first.timetable.visits[0].visit_id)
    second = cache.get(office.engine, REGION)
    assert second.key != first.key
    assert second.feeds is first.feeds
    assert cache.num_regions == 1
