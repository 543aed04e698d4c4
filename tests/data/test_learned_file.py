"""What was learned comes back from both formats, and a damaged file says where."""

from datetime import date
from pathlib import Path

import pytest

from data.feeds.learned_file import digest_of, learned_in, read_learned, write_learned
from data.model.errors import InputError
from data.model.learned import Effect, Learned, LearnedDemand, LearnedRatio

RATIO = LearnedRatio(
    overall=0.125,
    overall_variance=0.0004,
    level_sd={"leg": 0.11, "vehicle": 0.05},
    effects={
        "leg": {'Дом "у моря" → b.c': Effect(mean=-0.02, variance=1e-05, covariance=-3e-06, num=7)},
        "vehicle": {},
    },
    day_sd=0.06,
    residual_sd=0.1,
    short_s=61.5,
    num_records=7,
    num_set_aside=1,
    late_share=0.125,
)
LEARNED = Learned(
    drive=RATIO,
    setup=RATIO,
    turnaround=RATIO,
    opening=LearnedRatio(
        overall=0.0,
        overall_variance=0.1,
        level_sd={},
        effects={},
        day_sd=0.0,
        residual_sd=0.1,
        short_s=0.0,
        num_records=0,
        num_set_aside=0,
        slope=0.2,
        slope_variance=0.01,
        slope_centre=2.5,
    ),
    demand=LearnedDemand(
        names=("base", "people"),
        coefficients=(1.4, 0.7),
        covariance=((0.1, 0.0), (0.0, 0.2)),
        shape=3.0,
        dispersion=0.2,
        seen={"stop-1": (14.0, 11.5, 3)},
    ),
    num_days=12,
    first_date=date(2026, 1, 12),
    files=("дни.csv",),
)


@pytest.mark.parametrize("name", ["learned.json", "learned.toml"])
def test_both_formats_give_back_what_was_written(tmp_path: Path, name: str) -> None:
    """Names with quotes, dots and arrows, small numbers, missing dates."""
    path = tmp_path / name
    write_learned(path, LEARNED)
    assert read_learned(path) == LEARNED
    assert learned_in(tmp_path) == path
    assert len(digest_of(path)) == 8


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("learned.json", "{", "learned_file.unreadable"),
        ("learned.toml", "= 3", "learned_file.unreadable"),
        ("learned.json", "[1]", "learned_file.not_learned"),
        ("learned.json", '{"format": "bookmobile-plan"}', "learned_file.not_learned"),
        ("learned.json", '{"format": "bookmobile-learned", "version": 9}', "learned_file.version"),
        (
            "learned.json",
            '{"format": "bookmobile-learned", "version": 1, "learned": {}}',
            "learned_file.wrong_value",
        ),
        ("learned.csv", "a", "learned_file.unknown_kind"),
        ("learned.json", "", "feeds.file.empty"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, text: str, code: str) -> None:
    """The code names the cause."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_learned(tmp_path / name)
    assert caught.value.code == code


def test_an_impossible_spread_is_refused(tmp_path: Path) -> None:
    """A negative deviation, written in by hand, is named with its place."""
    path = tmp_path / "learned.json"
    write_learned(path, LEARNED)
    text = path.read_text(encoding="utf-8").replace('"day_sd": 0.06', '"day_sd": -0.06', 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_learned(path)
    assert caught.value.code == "learned_file.wrong_value"
    assert "drive" in str(caught.value.facts["place"])
