"""A real worker process that is stopped for two seconds in the middle of a lesson, and what it forwards afterwards."""

from __future__ import annotations

from media.publication import BEHIND
from tests.bench.starvation import paused


async def test_a_worker_that_did_not_run_goes_on_with_what_is_fresh_and_with_a_key_frame() -> None:
    pause = await paused(viewers=5, seconds=2.0)
    assert pause.left_out > 0
    # Whatever had reached the machine longer ago than that when the worker ran again; by now it is older still.
    too_old = {sent for sent, gone in pause.gone.items() if gone < pause.ended - BEHIND * 1e9}
    assert not [it for it in pause.came if it.sent in too_old]
    pictures = [it for it in pause.came if it.picture]
    assert pictures[0].key
    assert any(not it.picture for it in pause.came)
