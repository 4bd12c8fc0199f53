import pickle
from pathlib import Path

import pytest

from server.jobs.kinds import KINDS
from server.jobs.queue import Queue


def test_jobs_have_their_turn_by_their_kind_and_then_by_when_they_were_asked_for(queue: Queue) -> None:
    for lesson_id, kind in (("a", "movie"), ("a", "convert"), ("b", "camera"), ("c", "camera"), ("c", "poster")):
        queue.put(queue.ledger.ask(lesson_id, kind))  # type: ignore[arg-type]
    assert [(lesson_id, kind) for lesson_id, kind, _ in queue.waiting()] == [
        ("c", "poster"),
        ("b", "camera"),
        ("c", "camera"),
        ("a", "movie"),
        ("a", "convert"),
    ]
    assert len(queue.waiting(2)) == 2


def test_only_what_is_quick_is_run_in_between(queue: Queue) -> None:
    ran: list[str] = []
    queue.serve(lambda lesson_id, kind, job_id: ran.append(kind), lambda: None)
    for kind in KINDS:
        queue.put(queue.ledger.ask("a", kind))
    while queue.run_quick():
        pass
    assert ran == [kind.name for kind in KINDS.values() if kind.quick]
    assert len(queue.waiting()) == len(KINDS) - len(ran)


def test_two_who_share_a_store_see_the_same_queue(queue: Queue, tmp_path: Path, redis_url: str) -> None:
    other = Queue(tmp_path, redis_url)
    queue.put(queue.ledger.ask("a", "poster"))
    assert other.waiting() == queue.waiting()
    ran: list[str] = []
    other.serve(lambda lesson_id, kind, job_id: ran.append(job_id), lambda: None)
    assert other.run_quick()
    assert (len(ran), queue.waiting()) == (1, [])
    other.close()


def test_a_message_that_would_run_code_is_not_taken(queue: Queue, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    queue.huey.storage.enqueue(pickle.dumps(Evil()), 100)
    with pytest.raises(ValueError):
        queue.huey.dequeue()
    assert queue.waiting() == []
    assert not (tmp_path / "ran").exists()
