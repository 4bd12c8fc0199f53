"""The WebSocket door: GET /ws/{lesson_id} (PROTOCOL.md sections 1 to 5).

One handler reads, one task writes; between them and the room stands a bounded outbox, so that nobody waits for a class
whose line has stopped. What a client does wrong is said to it with a code, and nothing of it is logged above INFO.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from aiohttp import WSCloseCode, WSMsgType, web

from signaling import commands, messages
from signaling.commands import MAX_MESSAGE, Hello, MessageError, Offer, Ping
from signaling.grants import GrantError
from signaling.live import LiveRoom
from signaling.messages import Done, Error, Pong
from signaling.pace import DRAWING, Outbox, Pace, Verdict
from signaling.rights import may
from signaling.room import RoomError
from signaling.rooms import Rooms
from signaling.turn import IceServers, no_ice_servers

HELLO = 5.0  # seconds until the first message
SILENCE = 20.0  # seconds without a message; the client pings every five
CLOSING = 3.0  # seconds for the rest of the outbox and the closing handshake
MAX_OFFERS = 4  # under way for one participant; each direction takes one at a time

CLOSE_OF: dict[str, int] = {  # PROTOCOL.md section 5; other codes leave the socket open
    "token_invalid": 4401,
    "token_expired": 4401,
    "token_foreign": 4401,
    "room_full": 4403,
    "removed": 4403,
    "locked": 4403,
    "second_device": 4409,
    "lesson_unknown": 4404,
    "hello_expected": 4408,
    "lesson_ended": 4410,
}
CLOSE_SILENT = 4408
CLOSE_UNREAD = 4413
CLOSE_TOO_MANY = 4429

log = logging.getLogger(__name__)


def routes(rooms: Rooms, ice_servers: IceServers = no_ice_servers) -> list[web.RouteDef]:
    """The routes of this door, for the server's application."""

    async def open_socket(request: web.Request) -> web.WebSocketResponse:
        # Twice the protocol's limit, so that a message between the two is refused by name; compression would let a
        # small frame grow large, and what we send is small.
        socket = web.WebSocketResponse(max_msg_size=2 * MAX_MESSAGE, compress=False, timeout=CLOSING)
        await socket.prepare(request)
        await SocketDoor(rooms, ice_servers, request.match_info["lesson_id"], socket, request.transport).run()
        return socket

    return [web.get("/ws/{lesson_id}", open_socket)]


class SocketDoor:
    """One WebSocket, from hello to close. It is the room's `Connection`."""

    def __init__(
        self,
        rooms: Rooms,
        ice_servers: IceServers,
        lesson_id: str,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
    ) -> None:
        self._rooms = rooms
        self._ice_servers = ice_servers
        self._lesson_id = lesson_id
        self._socket = socket
        self._transport = transport
        self._room: LiveRoom | None = None
        self._participant_id = ""
        self._pace = Pace()
        self._offers: set[asyncio.Task[None]] = set()
        self._outbox = Outbox()
        self._news = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._writer: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve until either side closes."""
        self._writer = asyncio.create_task(self._write())
        try:
            await self._read()
        except Exception:
            log.exception("a participant of lesson %s could not be served", self._lesson_id)
            self.close(WSCloseCode.INTERNAL_ERROR, "internal")
        finally:
            if self._room is not None:
                self._room.dropped(self._participant_id, self)
            for task in self._offers:
                task.cancel()
            if self._closing is not None:
                await asyncio.wait({self._writer}, timeout=2 * CLOSING)
            self._writer.cancel()
            await asyncio.gather(self._writer, *self._offers, return_exceptions=True)
            if not self._socket.closed:
                self._abort()

    # ── what the room asks ────────────────────────────────────────────────────────────────────────────────────────

    def send(self, text: str) -> None:
        if self._outbox.put(text):
            self._news.set()
        elif self._closing is None:
            log.info("a participant of lesson %s does not read", self._lesson_id)
            self.close(CLOSE_UNREAD, "too far behind")
            if self._writer is not None:
                self._writer.cancel()  # it waits for a socket that takes nothing

    def close(self, code: int, reason: str) -> None:
        if self._closing is None:
            self._closing = (code, reason)
            self._news.set()

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _read(self) -> None:
        if not await self._enter():
            return
        while self._closing is None and (text := await self._receive(SILENCE, "silent", CLOSE_SILENT)) is not None:
            match self._pace.received(asyncio.get_running_loop().time()):
                case Verdict.FINE:
                    self._handle(text)
                case Verdict.WARN:
                    self._refuse("too_many_messages", "slow down")
                case Verdict.CLOSE:
                    self._refuse("too_many_messages", "too many messages")
                    self.close(CLOSE_TOO_MANY, "too_many_messages")

    async def _enter(self) -> bool:
        text = await self._receive(HELLO, "hello_expected", CLOSE_OF["hello_expected"])
        if text is None:
            return False
        hello = None
        try:
            hello = commands.parse(text)
            if not isinstance(hello, Hello):
                raise MessageError("hello_expected", "the first message is hello", hello.id)
            grant, room = await self._rooms.admit(hello.token, self._lesson_id)
            self._participant_id = room.enter(grant, hello, self, self._ice_servers)
            self._room = room
            if may(grant.room_role, "draw"):
                self._pace = Pace(DRAWING)
        except MessageError as error:
            self._refuse("hello_expected", f"the first message is a hello: {error}", error.id)
            self.close(CLOSE_OF["hello_expected"], "hello_expected")
        except (GrantError, RoomError) as error:
            self._refuse(error.code, str(error), hello.id if hello else None)
            self.close(CLOSE_OF.get(error.code, WSCloseCode.TRY_AGAIN_LATER), error.code)
        return self._room is not None

    async def _receive(self, timeout: float, reason: str, code: int) -> str | None:
        """The next text; None when the socket is closed, or will be."""
        while True:
            try:
                message = await self._socket.receive(timeout)
            except TimeoutError:
                if reason in CLOSE_OF:
                    self._refuse(reason, f"nothing came within {timeout:.0f} s")
                self.close(code, reason)
                return None
            if message.type is WSMsgType.BINARY:
                self._refuse("message_malformed", "messages are text")
                if self._pace.received(asyncio.get_running_loop().time()) is Verdict.CLOSE:
                    self.close(CLOSE_TOO_MANY, "too_many_messages")
                    return None
                continue
            if message.type is not WSMsgType.TEXT:
                return None
            if len(message.data.encode()) > MAX_MESSAGE:
                self._refuse("message_too_large", f"more than {MAX_MESSAGE} bytes")
                self.close(WSCloseCode.MESSAGE_TOO_BIG, "message_too_large")
                return None
            return str(message.data)

    def _handle(self, text: str) -> None:
        assert self._room is not None
        try:
            message = commands.parse(text)
        except MessageError as error:
            self._refuse(error.code, str(error), error.id)
            return
        if isinstance(message, Ping):
            self._reply(Pong(re=message.id, now_ms=self._room.now_ms()))
        elif isinstance(message, Hello):
            self._refuse("message_malformed", "hello was said before", message.id)
        elif isinstance(message, Offer):
            if len(self._offers) >= MAX_OFFERS:
                self._refuse("too_many_messages", "too many offers at once", message.id)
                return
            task = asyncio.create_task(self._answer(self._room, message))
            self._offers.add(task)
            task.add_done_callback(self._offers.discard)
        else:
            try:
                self._room.command(self._participant_id, message)
            except RoomError as error:
                self._refuse(error.code, str(error), message.id)
            else:
                if message.id is not None:
                    self._reply(Done(re=message.id))

    async def _answer(self, room: LiveRoom, offer: Offer) -> None:
        try:
            self._reply(await room.offer(self._participant_id, offer))
        except RoomError as error:
            self._refuse(error.code, str(error), offer.id)
        except Exception:
            log.exception("an offer in lesson %s could not be answered", self._lesson_id)
            self._refuse("media_unavailable", "internal", offer.id)

    def _reply(self, message: messages.ServerMessage) -> None:
        self.send(messages.to_json(message))

    def _refuse(self, code: str, message: str, re: int | None = None) -> None:
        self._reply(Error(re=re, code=code, message=message))

    # ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _write(self) -> None:
        """Send what is queued, then close when asked to."""
        try:
            await self._send_queued()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._outbox.overflowed or task is None or self._socket.closed:
                raise
            task.uncancel()
        except ConnectionError:
            return  # the reader hears of it too
        if self._closing is not None:
            code, reason = self._closing
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(2 * CLOSING):  # the socket itself waits CLOSING for the client's goodbye
                    await self._socket.close(code=code, message=reason.encode(), drain=False)
            self._abort()

    async def _send_queued(self) -> None:
        while True:
            text = self._outbox.take()
            if text is not None:
                await self._socket.send_str(text)
            elif self._closing is not None:
                return
            else:
                self._news.clear()
                await self._news.wait()

    def _abort(self) -> None:
        """End a connection that does not take the rest: closing it politely would wait for that."""
        if self._transport is not None and self._transport.get_write_buffer_size() > 0:
            self._transport.abort()
