"""A real headless Chromium publishes to and watches from a real `python -m media`; offers go by the control socket."""

from __future__ import annotations

from playwright.async_api import Page

from media.messages import CloseTransport, Done, Place, Placement, PublicationFlowing, TransportChanged
from tests.support.browser import chromium, eventually, heard, moving_pictures, participant, received
from tests.support.worker import PUBLISH, WATCH, counters, page_of, running_worker


async def test_a_class_sees_and_hears_what_the_teacher_publishes() -> None:
    async with running_worker() as client, chromium("--autoplay-policy=no-user-gesture-required") as browser:
        teacher = await (await participant(browser)).new_page()
        classroom = await (await participant(browser)).new_page()
        published = await page_of(client, teacher, "teacher")
        watched = await page_of(client, classroom, "class")

        await teacher.evaluate(PUBLISH)
        await classroom.evaluate(WATCH)
        microphone, camera = published["send"].publications
        assert (microphone.kind, camera.kind) == ("audio", "video")
        slots = {slot.mid: slot.kind for slot in watched["receive"].slots}
        assert list(slots.values()) == ["audio"] * 3 + ["video"] * 3

        first_audio, first_video, second_video = "0", "3", "4"
        placed = await client.request(
            Place(
                "class-receive",
                (Placement(first_audio, microphone.publication_id), Placement(first_video, camera.publication_id)),
            )
        )
        assert placed == Done()
        await moving_pictures(classroom)
        await heard(classroom)

        # Switched to another slot and back without negotiating: each goes on where it stopped.
        await client.request(
            Place(
                "class-receive",
                (Placement(first_video, None), Placement(second_video, camera.publication_id)),
            )
        )
        await eventually("the other slot decodes", lambda: decodes(classroom, second_video))
        await client.request(
            Place(
                "class-receive",
                (Placement(second_video, None), Placement(first_video, camera.publication_id)),
            )
        )
        await moving_pictures(classroom)

        seen = await counters(client)
        assert seen["packets_out"] > 0
        assert not {name: value for name, value in seen.items() if name.startswith("dropped_srtp") and value}

        # A fake microphone beeps, and whoever beeps speaks. Of slots others tell.
        events = aiter(
            event async for event in client.events() if isinstance(event, TransportChanged | PublicationFlowing)
        )
        told = [await anext(events) for _ in range(4)]
        assert {type(event) for event in told} == {TransportChanged, PublicationFlowing}
        await classroom.evaluate("window.watching.close()")
        assert await anext(events) == TransportChanged("class-receive", "closed")
        assert await client.request(CloseTransport("teacher-send")) == Done()
        assert (await counters(client))["transports"] == 0


async def decodes(page: Page, mid: str) -> bool:
    return any(each.mid == mid and each.frames > 2 for each in await received(page, "video"))
