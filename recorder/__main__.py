"""The recorder process: `python -m recorder --control PATH --media PATH --archive DIR`. Ends on SIGTERM, exit code 0.

On SIGTERM it closes all recordings; their lessons may be opened again.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
import time
from pathlib import Path

from recorder.control import Control
from recorder.durability import Durability
from recorder.intake import Intake
from recorder.making_room import MakingRoom
from recorder.recorder import Recorder

TICK_S = 1.0
MAKE_ROOM = 4  # times what is kept free: below that exports go, so that recording need not stop


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m recorder", description="Record what media workers send.")
    parser.add_argument("--control", type=Path, required=True, help="Unix socket for the server")
    parser.add_argument("--media", type=Path, required=True, help="Unix socket for media workers")
    parser.add_argument("--archive", type=Path, required=True, help="folder of all lessons")
    parser.add_argument("--keep-free", type=int, default=64, metavar="MB", help="stop recording when less is free")
    options = parser.parse_args()
    logging.basicConfig(level=os.environ.get("TONGKE_LOG_LEVEL", "INFO"), format="%(levelname)s %(name)s: %(message)s")
    try:
        options.archive.mkdir(parents=True, exist_ok=True)
        asyncio.run(_run(options.control, options.media, options.archive, options.keep_free * 1_000_000))
    except OSError as error:
        sys.stderr.write(f"the recorder cannot work: {error}\n")
        return 1
    return 0


async def _run(control_path: Path, media_path: Path, archive: Path, keep_free: int) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    control = Control(control_path)
    recorder = Recorder(archive, control.tell)
    durability = Durability(archive, MakingRoom(archive, MAKE_ROOM * keep_free, (MAKE_ROOM + 1) * keep_free).look)
    recorder.start(_now_us())
    durability.start()
    intake = Intake(media_path, recorder)
    intake.start()
    await control.start(recorder, intake.drain)

    def tick() -> None:
        loop.call_later(TICK_S, tick)
        now_us = _now_us()
        recorder.tick(now_us)
        recorder.synced(durability.done, durability.begun + 1)
        recorder.room(durability.free >= keep_free, durability.free >= 2 * keep_free, now_us)
        if recorder.busy:
            durability.wrote()

    tick()
    # What is alive now stays so; walking over it again and again took a tenth of the time. Packets make no cycles.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    await ending.wait()
    intake.drain()
    recorder.close()
    await intake.close()
    await control.close()
    durability.close()
    recorder.synced(durability.done, durability.done)
    recorder.synced(durability.done, durability.done)


def _now_us() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    sys.exit(main())
