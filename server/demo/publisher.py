"""The synthetic teacher: a drawn blackboard and a voice, published by WHIP until it is told to end.

    python -m server.demo.publisher --url http://127.0.0.1:8080/whip/LESSON --token-file FILE [--seconds N]

Each connection is a process (`broadcast.py`). A lost one is followed by the next, after a pause that doubles. The token
comes in a file and is read again for each, so that it stands in no process list and can be renewed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between attempts to connect
STEADY = 10.0  # seconds after which a connection counts as good and the pause starts over
GOODBYE = 5.0  # seconds a connection may take to end

EXIT_DONE, EXIT_REFUSED = 0, 3
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
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=DEVNULL, stdout=DEVNULL)
        exited = asyncio.ensure_future(process.wait())
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((exited, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            await _finish(process)
        return await exited


async def _finish(process: Process) -> None:
    """Let a connection say goodbye, for a while."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(GOODBYE):
            await process.wait()
    except TimeoutError:
        process.kill()


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
