"""A village is found however somebody spells it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.model.place_search import Named, find, sound_of

VILLAGES = (
    "Черняховск", "Калиновка", "Большое Село", "Зелёный Бор", "Щегловка", "Нижний Бор",
    "Хрустальное", "Мысовка", "Юбилейное", "Ельники", "Цветково", "Красная Горка",
)  # fmt: skip
NAMED = [Named.of(name, [name], weight=len(VILLAGES) - k) for k, name in enumerate(VILLAGES)]


@pytest.mark.parametrize(
    ("typed", "village"),
    [
        ("калиновка", "Калиновка"),
        ("КАЛИНОВКА", "Калиновка"),
        ("зеленый бор", "Зелёный Бор"),
        ("Зелёный  Бор ", "Зелёный Бор"),
        ("Kalinovka", "Калиновка"),
        ("kalinovca", "Калиновка"),
        ("Chernyakhovsk", "Черняховск"),
        ("Chernjahovsk", "Черняховск"),
        ("shcheglovka", "Щегловка"),
        ("Khrustalnoye", "Хрустальное"),
        ("yubileynoe", "Юбилейное"),
        ("tsvetkovo", "Цветково"),
        ("калинвка", "Калиновка"),
        ("каилновка", "Калиновка"),
        ("горка", "Красная Горка"),
        ("Yelniki", "Ельники"),
        ("Мысовка, Славский район", "Мысовка"),
    ],
)
def test_any_spelling_finds_the_village(typed: str, village: str) -> None:
    """Case, ё, Latin letters, a slip, one word of two: the village comes first."""
    assert find(typed, NAMED)[0] == village


def test_the_whole_name_comes_before_a_part() -> None:
    """«Бор» itself before «Нижний Бор», and the heavier of two alike first."""
    named = [*NAMED, Named.of("Бор", ["Бор"])]
    assert find("бор", named) == ("Бор", "Зелёный Бор", "Нижний Бор")


def test_a_district_tells_places_of_one_name_apart() -> None:
    """In either order, with «район» or without, in Latin letters too."""
    named = [
        Named.of("big", ["Садовое", "Садовое Озерский"], weight=900),
        Named.of("small", ["Садовое", "Садовое Правдинский"], weight=10),
    ]
    assert find("Садовое", named)[0] == "big"
    for typed in ("Садовое, Правдинский район", "Правдинский район Садовое", "sadovoe pravdinsky"):
        assert find(typed, named)[0] == "small", typed


def test_what_is_like_nothing_finds_nothing() -> None:
    """No guess is offered where no name is near; signs alone ask for nothing."""
    assert find("Лондон", NAMED) == ()
    assert find("  -- ", NAMED) == ()
    assert find("", NAMED) == ()


@given(st.text(max_size=200))
def test_any_text_may_be_typed(typed: str) -> None:
    """Whatever is typed, the search ends and its sound is stable."""
    find(typed, NAMED)
    assert sound_of(sound_of(typed)) == sound_of(sound_of(sound_of(typed)))
