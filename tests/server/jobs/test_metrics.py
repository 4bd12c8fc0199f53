from pathlib import Path

from server.jobs.ledger import Progress
from server.jobs.queue import FILE, Queue
from tests.server.application import running


async def test_what_waits_runs_and_has_failed_is_shown_and_how_all_ended(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        queue = Queue(tmp_path)
        queue.put(queue.ledger.ask("a", "movie"))
        queue.put(queue.ledger.ask("b", "movie"))
        queue.ledger.note(queue.ledger.ask("c", "poster"), Progress("failed", 0.0, "damaged"))
        queue.ledger.note(queue.ledger.ask("d", "poster"), Progress("done", 1.0))
        queue.ledger.count("me", "poster", "done", 0.25)
        queue.close()
        text = await (await client.get("/metrics")).text()
        assert "tongke_jobs_usable 1.0" in text
        assert 'tongke_jobs{kind="movie",state="waiting"} 2.0' in text
        assert 'tongke_jobs{kind="poster",state="failed"} 1.0' in text
        assert 'tongke_jobs_ended_total{kind="poster",outcome="done"} 1.0' in text
        assert 'tongke_job_seconds_total{kind="poster",outcome="done"} 0.25' in text


async def test_a_store_of_jobs_that_cannot_be_used_is_seen_in_the_metrics(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        (tmp_path / FILE).mkdir()
        assert "tongke_jobs_usable 0.0" in await (await client.get("/metrics")).text()
