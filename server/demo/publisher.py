"""The synthetic teacher: a drawn blackboard and a voice, published by WHIP until it is told to end.

    python -m server.demo.publisher --url http://127.0.0.1:8080/whip/LESSON --token-file FILE [--seconds N]

Each connection is a process (`broadcast.py`). A lost one is followed by the next, after a pause that doubles. The token
comes in a file and is read again for each, so that it stands in no process list and can be renewed.

FFmpeg sends into the void for half a minute after the server has lost its session (a media worker that died). Where the
token names the participant (`sub`), the server is asked every second whether it is still there.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import logging
import signal
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import DEVNULL, PIPE, Process
from http.client import HTTPException
from pathlib import Path

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between attempts to connect
STEADY = 10.0  # seconds after which a connection counts as good and the pause starts over
GOODBYE = 5.0  # seconds a connection may take to end …
LAST_WORDS = 1.0  # … and one that nobody listens to
LOOK = 1.0  # seconds between looks whether the server still has our session
APPEARING = 15.0  # seconds after which a session that was never seen there is lost
PUBLISHING = "publishing"  # what a connection says when it is one

EXIT_DONE, EXIT_LOST, EXIT_REFUSED = 0, 1, 3
# Refusals that another attempt would not change.
_FINAL = {"lesson_unknown", "lesson_ended", "not_allowed", "token_foreign"}


class RefusedError(Exception):
    """The server said no for good. The argument is its code."""


class Publisher:
    """One synthetic lesson on its way to `url`, over as many connections as it takes."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._url = url
        self._token_file = token_file
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Stop soon."""
        self._ended.set()

    async def run(self, seconds: float | None = None) -> None:
        """Publish for `seconds`, or until `end`. Raises RefusedError when the server will never take this lesson."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds if seconds is not None else float("inf")
        pause = FIRST_PAUSE
        while not self._ended.is_set() and loop.time() < deadline:
            begun = loop.time()
            if await self._connection(deadline - begun) == EXIT_DONE:
                break
            code = await asyncio.to_thread(refusal, self._url, self._token_file.read_text("utf-8").strip())
            if code in _FINAL:
                raise RefusedError(code)
            if loop.time() - begun > STEADY:
                pause = FIRST_PAUSE
            logger.info("trying again in %.1f s%s", pause, f": {code}" if code else "")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), min(pause, max(0.0, deadline - loop.time())))
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _connection(self, seconds: float) -> int:
        """One connection, until it ends by itself or `end` was called; its exit code."""
        limit = () if seconds == float("inf") else ("--seconds", f"{seconds:.3f}")
        command = ("-m", "server.demo.broadcast", "--url", self._url, "--token-file", str(self._token_file), *limit)
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=DEVNULL, stdout=PIPE)
        assert process.stdout is not None
        connected = asyncio.ensure_future(process.stdout.readline())
        exited = asyncio.ensure_future(process.wait())
        ended = asyncio.ensure_future(self._ended.wait())
        lost = asyncio.ensure_future(self._lost(connected))
        gone = False
        try:
            done, _ = await asyncio.wait((exited, ended, lost), return_when=asyncio.FIRST_COMPLETED)
            gone = lost in done
        finally:
            for watch in (ended, lost, connected):
                watch.cancel()
            await _finish(process, LAST_WORDS if gone else GOODBYE)
        return EXIT_LOST if gone else await exited

    async def _lost(self, connected: asyncio.Future[bytes]) -> None:
        """Return when the server says that it does not have our session (any more)."""
        loop = asyncio.get_running_loop()
        appearing = loop.time() + APPEARING
        while True:
            await asyncio.sleep(LOOK)
            seen = connected.done() and connected.result().strip() == PUBLISHING.encode()
            here = await asyncio.to_thread(is_here, self._url, self._token_file)
            if here is False and (seen or loop.time() > appearing):
                logger.info("the server has our session no more")
                return


async def _finish(process: Process, patience: float) -> None:
    """Let a connection say goodbye, for so many seconds."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        process.kill()


def is_here(url: str, token_file: Path) -> bool | None:
    """Whether the server has the session the token names. None when that cannot be known."""
    server, whip, lesson_id = url.rpartition("/whip/")
    try:
        token = token_file.read_text("utf-8").strip()
        name = _participant(token)
        if not whip or name is None:
            return None
        request = urllib.request.Request(  # noqa: S310 - the url is the operator's own
            f"{server}/api/lessons/{lesson_id}/participants", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=2) as response:  # noqa: S310
            here = json.load(response)["participants"]
            return any(one["participant_id"] == name for one in here)
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return None


def _participant(token: str) -> str | None:
    """As whom a token publishes by WHIP (signaling/PROTOCOL.md section 6); None if it names nobody."""
    try:
        claims = token.split(".")[1]
        name = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
    except (IndexError, ValueError, KeyError, TypeError):
        return None
    return f"{name}-whip"


def refusal(url: str, token: str) -> str | None:
    """The server's own word for why it refuses. FFmpeg tells only "4xx", so an empty offer is posted to learn it.

    None when it cannot be reached, or finds nothing wrong but the empty offer.
    """
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    request = urllib.request.Request(url, b"", headers, method="POST")  # noqa: S310 - the url is the operator's own
    try:
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        with contextlib.suppress(ValueError, AttributeError):
            code = json.loads(error.read()).get("code")
            return str(code) if code and code != "sdp_malformed" else None
    except OSError:
        pass
    return None


def command_line(program: str, description: str) -> argparse.ArgumentParser:
    """What publisher and connection are told, which is the same."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--url", required=True, help="the lesson's WHIP address")
    parser.add_argument("--token-file", required=True, type=Path, help="file with a grant that may publish")
    parser.add_argument("--seconds", type=float, help="end after this long; default: only on SIGTERM")
    return parser


async def _publish(url: str, token_file: Path, seconds: float | None) -> int:
    publisher = Publisher(url, token_file)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, publisher.end)
    try:
        await publisher.run(seconds)
    except RefusedError as error:
        sys.stderr.write(f"the server refuses this lesson: {error}\n")
        return EXIT_REFUSED
    return EXIT_DONE


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 ended, 3 refused for good."""
    given = command_line("server.demo.publisher", "Publish a synthetic lesson.").parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    return asyncio.run(_publish(given.url, given.token_file, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
