"""The tables of the document come from results alone."""

import json
from pathlib import Path

from tests.benchmarks.all import jobs_of
from tests.benchmarks.peers.families import OURS
from tests.benchmarks.peers.run import starved
from tests.benchmarks.tables import peers_table, rendered, tables_of


def record(instance: str, solver: str, value: float | None) -> dict[str, object]:
    return {
        "instance": instance,
        "solver": solver,
        "value": value,
        "best_known": 100.0 if instance == "a" else None,
        "is_maximised": False,
        "time_limit_s": 60.0,
    }


def test_gaps_count_from_best_known_or_the_best_of_all() -> None:
    """100 is known of a, 50 the best of b: 102 and 50 are 1 % on average, 100 and 55 are 5 %."""
    records = [record("a", "X", 102), record("a", "Y", 100), record("b", "X", 50)]
    text = peers_table([*records, record("b", "Y", 55), record("b", "Z", None)])
    assert "| a | 100 | 102 | 100 |  |" in text
    assert "| b | – | 50 | 55 | – |" in text
    assert "| **Mean gap, % (solved)** |  | 1 (2) | 5 (2) | – |" in text
    assert "| **Worst gap, %** |  | 2 | 10 | – |" in text


def test_solvers_are_set_against_ours_where_both_were_asked() -> None:
    """110 and 50 against our 100 and 50 are 5 % worse on average; not asked stays empty."""
    ours = [record(name, OURS, value) for name, value in (("a", 100), ("b", 50), ("c", 7))]
    theirs = [record("a", "X", 110), record("b", "X", 50), record("a", "Y", None)]
    text = peers_table([*ours, *theirs])
    assert "| **Worse than ours, mean %** |  |  | 5 (2) |  |" in text
    assert "| c | – | 7 |  |  |" in text
    assert "| a | 100 | 100 | 110 | – |" in text


def test_a_document_keeps_its_words(tmp_path: Path) -> None:
    """Only what stands between markers changes; rendering twice changes nothing."""
    (tmp_path / "peers-pvrp.json").write_text(json.dumps([record("a", "X", 102)]), encoding="utf-8")
    tables = tables_of(tmp_path)
    text = "# T\n\n<!-- table peers-pvrp -->\nold\n<!-- end peers-pvrp -->\n\nwords\n"
    once = rendered(text, tables)
    assert "old" not in once
    assert "words" in once
    assert "<!-- table versions -->" in once
    assert rendered(once, tables) == once


def test_every_job_writes_where_the_tables_read(tmp_path: Path) -> None:
    """Without the published sets only what the project has itself is measured."""
    names = [job.name for job in jobs_of(tmp_path, tmp_path, 1)]
    assert names == ["library", "growth"]


def test_a_job_may_have_seconds_of_its_own(tmp_path: Path) -> None:
    """A reference of growth is ten times as long as the other solves."""
    jobs = {job.name: job for job in jobs_of(tmp_path, tmp_path, 7, {"library": 20})}
    assert (jobs["library"].seconds, jobs["growth"].seconds) == (20, 70)
    assert jobs["library"].words[-4:-2] == ("--time-limit", "20")


def test_a_starved_solve_is_found() -> None:
    """Less than 85 % of what the best supplied rival got; one that ended by itself is none."""

    def effort(solver: str, cpu_s: float, seconds: float = 10.0) -> dict[str, object]:
        return {
            "solver": solver,
            "cpu_s": cpu_s,
            "seconds": seconds,
            "time_limit_s": 10.0,
            "processes_ended": 0,
        }

    records = [effort("A", 20), effort("B", 16.8), effort("C", 17.2), effort("D", 1.0, 2.0)]
    assert [r["solver"] for r in starved(records)] == ["B"]
