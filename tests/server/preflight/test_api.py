"""server/preflight over HTTP: open to a class that has not entered yet, and bad input is refused."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.server.application import problem, running


async def test_anybody_may_ask_what_time_it_is(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        response = await client.get("/api/preflight/clock")
        assert response.status == 200
        assert abs((await response.json())["now_ms"] - time.time() * 1000) < 30_000


@pytest.mark.parametrize("body", [{}, {"send": None}, {"send": 7}, {"receive": "x" * 30_000}])
async def test_a_measurement_needs_an_offer_of_ordinary_length(tmp_path: Path, body: dict[str, Any]) -> None:
    async with running(tmp_path) as client:
        assert await problem(await client.post("/api/preflight", json=body)) == (422, "field_invalid")


async def test_a_measurement_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        for path, body in (
            ("train", {"packets": 100, "size": 20, "seconds": 1}),
            ("watch", {"direction": "send", "seconds": 1}),
        ):
            response = await client.post(f"/api/preflight/nobodys/{path}", json=body)
            assert await problem(response) == (404, "preflight_unknown")
        assert (await client.delete("/api/preflight/nobodys")).status == 204


async def test_without_a_media_worker_nothing_is_measured_and_it_is_said(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        response = await client.post("/api/preflight", json={"send": "v=0"})
        assert await problem(response) == (503, "media_unavailable")
