"""A worker's watch over the search of one job: signs of life, cancel, limits, and the end."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.jobs.outcome import BEAT, STOP, Note, Outcome, Refusal
from api.jobs.pace import Pace
from api.jobs.params import ExplainParams, params_of
from api.jobs.process import SearchProcess
from api.jobs.storing import announce
from data.db import job_store
from data.db.engine import writing
from data.model.jobs import Claim, Job, JobFailure, JobState, Standing

log = logging.getLogger(__name__)

OVERRUN = "jobs.overrun"


class End(StrEnum):
    """How a watch ended where the search brought nothing itself."""

    DIED = "died"
    """The search's process ended without a word."""
    LOST = "lost"
    """The job is no longer this worker's, or the database was out of reach for too long."""
    CANCELLED = "cancelled"
    """Asked to stop, and there was no best plan to keep."""
    LEFT = "left"
    """The worker ends; the job is to be handed out again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How a search ended, and whether somebody had asked it to stop."""

    ending: Outcome | Refusal | End
    is_cancelled: bool


class Watch:
    """One search, from its start to its end; the process serves no other job."""

    def __init__(
        self,
        engine: Engine,
        process: SearchProcess,
        job: Job,
        held: Claim,
        *,
        pace: Pace,
        clock: Callable[[], datetime],
        is_leaving: Callable[[], bool],
    ) -> None:
        self._engine = engine
        self._job, self._held, self._pace = job, held, pace
        self._clock, self._is_leaving = clock, is_leaving
        params = params_of(dict(job.params))
        limit_s = params.limit_s if isinstance(params, ExplainParams) else params.time_limit_s
        self._limit_s = limit_s + pace.overrun_s
        self._note: Note | None = None
        self._told: Note | None = None
        self._is_stopped = False
        self._is_cut_off = False
        now_s = time.monotonic()
        self._began_s = self._heard_s = self._beat_s = self._told_s = now_s
        self._searching_s: float | None = None
        self._stopped_s: float | None = None
        self._process = process
        process.begin(job, clock())

    def run(self) -> Watched:
        """Watch until the search ends, by itself or by force."""
        try:
            while True:
                ending = self._next() or self._judge()
                if ending is not None:
                    return Watched(ending=ending, is_cancelled=self._is_stopped)
        finally:
            self._process.end()

    def _next(self) -> Outcome | Refusal | End | None:
        """What the search says; its notes are kept until people are told."""
        try:
            told = self._process.hear(self._pace.tell_s / 2)
        except EOFError:
            facts = {"job_id": self._job.job_id, "exit_code": self._process.exit_code()}
            log.warning("job.search_died", extra=facts)
            return End.DIED
        if told is None or isinstance(told, Outcome | Refusal):
            return told
        self._note = told
        if told.is_searching and self._searching_s is None:
            self._searching_s = time.monotonic()
        return None

    def _judge(self) -> Refusal | End | None:
        """Whether the search is to end now."""
        if self._is_leaving():
            return End.LEFT
        now_s = time.monotonic()
        if self._beat(now_s) is Standing.LOST:
            return End.LOST
        if self._is_stopped and self._stopped_s is not None:
            is_keeping = self._searching_s is not None
            if not is_keeping or now_s - self._stopped_s > self._pace.stop_s:
                return End.CANCELLED
        since_s, most_s = self._began_s, self._pace.prepare_s
        if self._searching_s is not None:
            since_s, most_s = self._searching_s, self._limit_s
        if now_s - since_s > most_s:
            return Refusal(failure=JobFailure(code=OVERRUN, facts={"seconds": round(most_s)}))
        return None

    def _beat(self, now_s: float) -> Standing:
        """Tell people and give a sign of life, when either is due."""
        is_news = self._note is not self._told and now_s - self._told_s >= self._pace.tell_s
        if not is_news and now_s - self._beat_s < self._pace.beat_s:
            return Standing.GO_ON
        self._beat_s = now_s
        try:
            standing = self._write(self._note if is_news else None)
        except SQLAlchemyError:
            if not self._is_cut_off:
                log.warning("job.database_lost", extra={"job_id": self._job.job_id}, exc_info=True)
            self._is_cut_off = True
            is_over = now_s - self._heard_s > self._pace.lease_s
            return Standing.LOST if is_over else Standing.GO_ON
        if self._is_cut_off:
            log.info("job.database_back", extra={"job_id": self._job.job_id})
        self._is_cut_off = False
        if standing is Standing.LOST:
            log.warning("job.claim_lost", extra={"job_id": self._job.job_id})
            return standing
        self._heard_s = now_s
        if is_news:
            self._told, self._told_s = self._note, now_s
        if standing is Standing.STOP and not self._is_stopped:
            self._is_stopped, self._stopped_s = True, now_s
        self._process.say(STOP if self._is_stopped else BEAT)
        return standing

    def _write(self, note: Note | None) -> Standing:
        with writing(self._engine) as session:
            standing = job_store.beat(
                session,
                self._held,
                at=self._clock(),
                fraction=None if note is None else note.fraction,
                told=None if note is None else note.told,
            )
            if note is not None and standing is not Standing.LOST:
                announce(
                    session,
                    self._job,
                    JobState.RUNNING,
                    fraction=note.fraction,
                    phase=note.told.phase,
                    code=note.told.code,
                    facts=dict(note.told.facts),
                )
        return standing
