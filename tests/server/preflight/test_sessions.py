"""server/preflight: anybody may measure a line, a few at a time, and what is left behind ends by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from media import messages as media
from server.preflight import sessions
from server.preflight.sessions import PER_HOUR, Preflights, Way
from server.tries import TooManyTriesError
from signaling.problems import ProblemError
from signaling.workers import MediaUnavailableError, Workers

OFFERS: dict[Way, str] = {"send": "an offer", "receive": "another"}


class OneWorker:
    """Stands for the workers and for the one there is; says what `replies` has for a kind of request."""

    def __init__(self) -> None:
        self.asked: list[media.Request] = []
        self.refusal: media.Refused | None = None
        self.gone = False
        self.number = 0

    async def choose(self) -> OneWorker:
        if self.gone:
            raise MediaUnavailableError("no media worker is there")
        return self

    async def request(self, message: media.Request) -> media.Reply:
        self.asked.append(message)
        if isinstance(message, media.CloseTransport):
            return media.Done()
        if self.refusal is not None:
            return self.refusal
        if isinstance(message, media.Answer):
            return media.Answered(message.transport_id, f"answer to {message.offer}", (), ())
        if isinstance(message, media.Count):
            return media.Counted(1000.0 + len(self.asked), len(self.asked), len(self.asked), 10)
        return media.Done()

    @property
    def open(self) -> set[str]:
        """Transports that were answered and not closed."""
        answered = {one.transport_id for one in self.asked if isinstance(one, media.Answer)}
        return answered - {one.transport_id for one in self.asked if isinstance(one, media.CloseTransport)}


@asynccontextmanager
async def measuring(**options: float) -> AsyncIterator[tuple[Preflights, OneWorker]]:
    worker = OneWorker()
    preflights = Preflights(
        cast(Workers, worker), at_once=int(options.get("at_once", 2)), patience=options.get("patience", 5.0)
    )
    yield preflights, worker
    await preflights.close()
    assert not worker.open, "a transport was left behind"


async def test_each_direction_that_is_offered_is_answered() -> None:
    async with measuring() as (preflights, worker):
        session, answers = await preflights.open("192.0.2.1", OFFERS)
        assert answers == {"send": "answer to an offer", "receive": "answer to another"}
        assert preflights.find(session.session_id) is session
        assert len(worker.open) == 2


async def test_who_comes_when_all_turns_are_taken_waits_for_one() -> None:
    async with measuring(at_once=1) as (preflights, _):
        first, _answers = await preflights.open("192.0.2.1", OFFERS)
        second = asyncio.create_task(preflights.open("192.0.2.2", OFFERS))
        await asyncio.sleep(0)
        assert preflights.count == 1
        preflights.end(first.session_id)
        await second
        assert preflights.count == 1


async def test_who_waits_too_long_is_told_to_come_later() -> None:
    async with measuring(at_once=1, patience=0.01) as (preflights, _):
        await preflights.open("192.0.2.1", OFFERS)
        with pytest.raises(ProblemError) as raised:
            await preflights.open("192.0.2.2", OFFERS)
        assert raised.value.code == "preflight_busy"


async def test_an_offer_that_is_refused_gives_its_turn_back() -> None:
    async with measuring(at_once=1) as (preflights, worker):
        for code in ("sdp_malformed", "no_common_codec", "limit_reached"):
            worker.refusal = media.Refused(code, "")
            with pytest.raises(ProblemError) as raised:
                await preflights.open("192.0.2.1", OFFERS)
            assert raised.value.code == ("media_unavailable" if code == "limit_reached" else code)
        worker.refusal, worker.gone = None, True
        with pytest.raises(ProblemError):
            await preflights.open("192.0.2.1", OFFERS)
        worker.gone = False
        await preflights.open("192.0.2.1", OFFERS)


async def test_one_address_measures_only_so_often() -> None:
    async with measuring() as (preflights, _):
        for _time in range(PER_HOUR):
            session, _answers = await preflights.open("192.0.2.1", OFFERS)
            preflights.end(session.session_id)
        with pytest.raises(TooManyTriesError):
            await preflights.open("192.0.2.1", OFFERS)
        await preflights.open("192.0.2.2", OFFERS)


async def test_what_nobody_closes_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LONGEST", 0.0)
    async with measuring() as (preflights, worker):
        session, _answers = await preflights.open("192.0.2.1", OFFERS)
        while preflights.count:
            await asyncio.sleep(0)
        with pytest.raises(ProblemError):
            preflights.find(session.session_id)
        await preflights.close()
        assert not worker.open


async def test_counts_are_looked_at_until_the_time_is_over() -> None:
    async with measuring() as (preflights, _):
        session, _answers = await preflights.open("192.0.2.1", {"send": "an offer"})
        samples = await preflights.watch(session, "send", 0.25)
        assert len(samples) >= 2
        assert [one.at_ms for one in samples] == sorted(one.at_ms for one in samples)


async def test_counting_may_wait_until_something_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "STRAGGLERS", 3)
    async with measuring() as (preflights, _):  # each look finds one packet more
        session, _answers = await preflights.open("192.0.2.1", {"send": "an offer"})
        samples = await preflights.watch(session, "send", 0.0, flowing=True)
        assert len(samples) == 3 + 2


async def test_what_never_flows_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "AWAITED", 0.05)
    async with measuring() as (preflights, _):
        session, _answers = await preflights.open("192.0.2.1", {"send": "an offer"})
        assert await preflights.watch(session, "send", 0.0, flowing=True)


async def test_a_direction_that_was_not_offered_cannot_be_measured() -> None:
    async with measuring() as (preflights, _):
        session, _answers = await preflights.open("192.0.2.1", {"send": "an offer"})
        with pytest.raises(ProblemError) as raised:
            await preflights.send(session, 100, 20, 1.0)
        assert raised.value.code == "direction_unknown"


async def test_a_connection_that_is_gone_is_said_to_be() -> None:
    async with measuring() as (preflights, worker):
        session, _answers = await preflights.open("192.0.2.1", OFFERS)
        worker.refusal = media.Refused("unknown_transport", "")
        with pytest.raises(ProblemError) as raised:
            await preflights.watch(session, "send", 0.0)
        assert raised.value.code == "preflight_over"
