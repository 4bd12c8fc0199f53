"""Lines that are being measured: who may have one when, and through which media worker it goes.

A measurement costs the machine some thousand packets, so a few run at once and the others wait their turn; whoever asks
for too many is told to come later. Nothing is kept of one: the browser has the figures, the worker the counts.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from media import messages as media
from server.tries import TooManyTriesError, network_of
from signaling.problems import ProblemError
from signaling.workers import MediaUnavailableError, Worker, Workers

AT_ONCE = 6  # the worker goes on forwarding lessons beside them, see media/train.py MAX_TRAINS
PATIENCE = 25.0  # seconds that one may wait for its turn
LONGEST = 90.0  # seconds, then it is over whatever the browser does
PER_HOUR = 240  # of one address: a school's whole corridor sits behind it, and tries again
AWAITED = 3.0  # seconds until what is to be counted must flow
STRAGGLERS = 20  # packets that may still come of what was before
SAMPLED = 0.1  # seconds between looks at the counts


Way = Literal["send", "receive", "tcp"]
"""What a browser measures; "tcp" receives too, by which it finds out whether it could."""


@dataclass(slots=True)
class Session:
    """One browser's. It ends when it is closed, or by itself."""

    session_id: str
    worker: Worker
    transports: dict[Way, str] = field(default_factory=dict)
    over: asyncio.TimerHandle | None = None


class Preflights:
    """All of them. `close` ends what is left."""

    def __init__(self, workers: Workers, *, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        self._workers = workers
        self._turns = asyncio.Semaphore(at_once)
        self._patience = patience
        self._limit = RateLimitItemPerHour(PER_HOUR)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """How many there are now."""
        return len(self._sessions)

    async def open(self, address: str, offers: dict[Way, str]) -> tuple[Session, dict[Way, str]]:
        """A measurement by these offers, and their answers. Raises ProblemError and TooManyTriesError."""
        network = network_of(address)
        if not self._limiter.hit(self._limit, "preflight", network):
            window = self._limiter.get_window_stats(self._limit, "preflight", network)
            raise TooManyTriesError(max(1, int(window.reset_time - time.time()) + 1))
        try:
            await asyncio.wait_for(self._turns.acquire(), self._patience)
        except TimeoutError as error:
            raise ProblemError(
                503, "preflight_busy", "Others are measuring their lines", headers={"Retry-After": "10"}
            ) from error
        session: Session | None = None
        try:
            session = Session(secrets.token_urlsafe(18), await self._workers.choose())
            answers = {way: await self._answer(session, way, sdp) for way, sdp in offers.items()}
        except MediaUnavailableError as error:
            self._release(session)
            raise ProblemError(503, "media_unavailable", "No media worker can serve now") from error
        except BaseException:
            self._release(session)
            raise
        self._sessions[session.session_id] = session
        session.over = asyncio.get_running_loop().call_later(LONGEST, self.end, session.session_id)
        return session, answers

    def find(self, session_id: str) -> Session:
        """Raises ProblemError."""
        try:
            return self._sessions[session_id]
        except KeyError:
            raise ProblemError(404, "preflight_unknown", "There is no such measurement, or it is over") from None

    def end(self, session_id: str) -> None:
        """Ending twice is harmless."""
        session = self._sessions.pop(session_id, None)
        if session is not None:
            if session.over is not None:
                session.over.cancel()
            self._release(session)

    async def send(self, session: Session, packets: int, size: int, seconds: float) -> None:
        """Send the browser a train. Raises ProblemError."""
        await self._ask(session, "receive", lambda it: media.SendTrain(it, packets, size, seconds))

    async def watch(
        self, session: Session, direction: Way, seconds: float, *, flowing: bool = False
    ) -> list[media.Counted]:
        """The counts of one direction, ten times a second; `flowing`, from when it flows. Raises ProblemError."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        latest = loop.time() + AWAITED if flowing else 0.0
        samples: list[media.Counted] = []
        while True:
            counted = await self._ask(session, direction, media.Count)
            assert isinstance(counted, media.Counted)
            samples.append(counted)
            if latest and (counted.packets - samples[0].packets > STRAGGLERS or loop.time() >= latest):
                latest, until = 0.0, loop.time() + seconds
            if not latest and loop.time() >= until:
                return samples
            await asyncio.sleep(SAMPLED)

    async def close(self) -> None:
        for session_id in list(self._sessions):
            self.end(session_id)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, session: Session, way: Way, sdp: str) -> str:
        transport_id = f"preflight-{secrets.token_hex(8)}"
        session.transports[way] = transport_id
        direction: media.Direction = "send" if way == "send" else "receive"
        reply = await session.worker.request(media.Answer(transport_id, direction, sdp))
        if isinstance(reply, media.Answered):
            return reply.answer
        code = reply.code if isinstance(reply, media.Refused) else "internal"
        if code == "no_common_codec":
            raise ProblemError(406, code, "The browser and the server have no codec in common")
        if code == "sdp_malformed":
            raise ProblemError(400, code, "The offer cannot be understood")
        raise ProblemError(503, "media_unavailable", "The media worker has too much to do")

    async def _ask(self, session: Session, direction: Way, request: Callable[[str], media.Request]) -> media.Reply:
        transport_id = session.transports.get(direction)
        if transport_id is None:
            raise ProblemError(409, "direction_unknown", "Nothing was offered for this direction")
        try:
            reply = await session.worker.request(request(transport_id))
        except MediaUnavailableError as error:
            raise ProblemError(503, "media_unavailable", "The media worker is gone") from error
        if isinstance(reply, media.Refused):
            if reply.code == "unknown_transport":
                raise ProblemError(410, "preflight_over", "The connection of this measurement is gone")
            raise ProblemError(503, "preflight_busy", "Others are measuring their lines", headers={"Retry-After": "10"})
        return reply

    def _release(self, session: Session | None) -> None:
        self._turns.release()
        if session is not None:
            for transport_id in session.transports.values():
                self._start(self._close(session.worker, transport_id))

    async def _close(self, worker: Worker, transport_id: str) -> None:
        try:
            await worker.request(media.CloseTransport(transport_id))
        except MediaUnavailableError:
            return  # gone with its worker

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
