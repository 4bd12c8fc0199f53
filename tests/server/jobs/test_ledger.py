import time
from pathlib import Path

import pytest

from server.jobs.ledger import JobsUnavailableError, Progress
from server.jobs.queue import Queue


def test_a_job_waits_runs_and_ends(queue: Queue) -> None:
    ledger = queue.ledger
    job = ledger.ask("a", "movie")
    assert ledger.find("a", ("movie", "camera")) == {"movie": job}
    assert (job.unfinished, ledger.wanted(job)) == (True, True)
    ledger.note(job, Progress("running", 0.25, attempts=1))
    now = ledger.find("a", ("movie",))["movie"]
    assert (now.known.state, now.known.progress, now.known.attempts) == ("running", 0.25, 1)
    ledger.note(job, Progress("done", 1.0))
    assert not ledger.find("a", ("movie",))["movie"].unfinished


def test_one_that_is_called_off_or_asked_for_anew_is_not_wanted(queue: Queue) -> None:
    ledger = queue.ledger
    first = ledger.ask("a", "movie")
    ledger.note(first, Progress("running", 0.5))
    ledger.cancel(first)
    assert not ledger.wanted(first)
    assert ledger.find("a", ("movie",))["movie"].known.state == "cancelled"
    second = ledger.ask("a", "movie")
    assert (ledger.wanted(first), ledger.wanted(second)) == (False, True)
    ledger.note(first, Progress("failed"))  # its last word changes nothing for the new one
    assert ledger.find("a", ("movie",))["movie"].known.state == "waiting"
    ledger.forget("a")
    assert (ledger.wanted(second), ledger.find("a", ("movie",))) == (False, {})


def test_what_ended_before_it_was_called_off_stays_as_it_ended(queue: Queue) -> None:
    job = queue.ledger.ask("a", "movie")
    queue.ledger.note(job, Progress("done", 1.0))
    queue.ledger.cancel(job)
    assert queue.ledger.find("a", ("movie",))["movie"].known.state == "done"


def test_one_owner_at_a_time_has_a_job(queue: Queue) -> None:
    ledger, job = queue.ledger, queue.ledger.ask("a", "movie")
    assert ledger.owner(job.job_id) is None
    assert ledger.claim(job.job_id, "node 1 /data")
    assert not ledger.claim(job.job_id, "node 2 /data")
    assert ledger.owner(job.job_id) == "node 1 /data"
    ledger.release(job.job_id)
    assert ledger.claim(job.job_id, "node 2 /data")


def test_what_is_long_done_is_forgotten_and_nothing_of_it_stays(queue: Queue) -> None:
    ledger = queue.ledger
    done, going, replaced = ledger.ask("a", "movie"), ledger.ask("b", "movie"), ledger.ask("c", "movie")
    ledger.note(done, Progress("done", 1.0))
    ledger.note(going, Progress("running", 0.5))
    ledger.claim(going.job_id, "me")
    ledger.note(replaced, Progress("running", 0.5))
    fresh = ledger.ask("c", "movie")
    ledger.prune(time.time() - 60)
    assert {job.job_id for job in ledger.all()} == {done.job_id, going.job_id, fresh.job_id}
    ledger.prune(time.time() + 60)
    assert {job.job_id for job in ledger.all()} == {going.job_id, fresh.job_id}
    keys = {key if isinstance(key, str) else key.decode() for key in queue.huey.storage.result_items()}
    assert keys == {"job/b/movie", "job/c/movie", f"{going.job_id}/state", f"{going.job_id}/lock"}


def test_how_jobs_ended_is_counted_for_all_who_run_them(queue: Queue) -> None:
    ledger = queue.ledger
    ledger.count("node/1", "poster", "done", 0.5)
    ledger.count("node/1", "poster", "done", 1.0)
    ledger.count("node/2", "poster", "done", 2.0)
    ledger.count("node/2", "movie", "failed", 60.0)
    ledger.prune(time.time() + 60)
    assert ledger.tally() == {("poster", "done"): (3, 3.5), ("movie", "failed"): (1, 60.0)}


def test_a_store_that_cannot_be_used_is_one_kind_of_error(tmp_path: Path) -> None:
    with pytest.raises(JobsUnavailableError):
        Queue(tmp_path / "nowhere").ledger.all()
    away = Queue(tmp_path, f"unix://{tmp_path}/no.sock")
    with pytest.raises(JobsUnavailableError):
        away.ledger.ask("a", "movie")
