"""What is measured of a lesson: its teacher sees each class's line, the administrator all, Prometheus the sum."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.people import PATIENCE, SchoolClass, Teacher
from tests.support.browser import chromium, eventually
from tests.support.server import Tongke

pytestmark = pytest.mark.journey


async def test_the_lines_of_a_lesson_are_seen_by_its_teacher_and_by_the_administrator(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        pupils = await SchoolClass.arrive(browser, tongke)
        await pupils.enter(code, "阜平一小 六(2)班")
        await pupils.moves("main-video")

        line = teacher.see("class-line")
        await line.wait_for(timeout=PATIENCE)
        await expect(line).to_have_attribute("data-rung", re.compile("high|medium|low"), timeout=PATIENCE)

        admin = await tongke.token(lesson_id, "admin")
        found: dict[tuple[str, str], Any] = {}

        async def measured() -> bool:
            answer = await tongke.request("GET", f"/api/rooms/{lesson_id}/stats", token=admin)
            assert answer.status == 200
            for participant in answer.json["participants"]:
                for transport in participant["transports"]:
                    found[participant["role"], transport["direction"]] = transport
            watching, teaching = found.get(("receiving_class", "receive")), found.get(("lead_teacher", "send"))
            if not watching or not teaching or watching["rtt_ms"] is None or teaching["rtt_ms"] is None:
                return False
            return any(slot["height"] and slot["bitrate"] for slot in watching["slots"])

        await eventually("both round trips and a measured picture", measured)
        teaching, watching = found["lead_teacher", "send"], found["receiving_class", "receive"]
        camera = next(one for one in teaching["publications"] if any(layer["height"] for layer in one["layers"]))
        layers = {layer["rid"]: layer for layer in camera["layers"]}
        picture = next(slot for slot in watching["slots"] if slot["publication_id"] == camera["publication_id"])
        assert picture["height"] == layers[picture["rid"]]["height"] > 0
        assert picture["bitrate"] > 0
        assert watching["bitrate"] >= picture["bitrate"]
        assert teaching["bitrate"] > 0
        assert (watching["protocol"], picture["paused"]) == ("udp", False)

        metrics = (await tongke.request("GET", "/metrics")).body.decode()
        assert 'tongke_lines{direction="receive",protocol="udp"}' in metrics
        assert "tongke_slots_by_height{" in metrics
        assert teacher.errors == pupils.errors == []
