"""The uploader process: `python -m recorder.places --archive DIR --store s3://…`. Ends on SIGTERM, exit code 0.

Credentials come by the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), as an S3 client has them.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from recorder.places.local import LocalPlace
from recorder.places.store import Access, Store
from recorder.places.stored import StorePlace
from recorder.places.uploader import Uploader, little_room

LEAST_FREE = 4_000_000_000  # bytes; below that what the store has leaves at once


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m recorder.places", description="Send what is recorded to a store.")
    parser.add_argument("--archive", type=Path, required=True, help="folder of all lessons")
    parser.add_argument("--store", required=True, metavar="URL", help="s3://bucket/prefix")
    parser.add_argument("--endpoint", default="", metavar="URL")
    parser.add_argument("--region", default="")
    parser.add_argument("--keep", type=float, default=24.0, metavar="HOURS", help="how long media stay here")
    options = parser.parse_args()
    logging.basicConfig(level=os.environ.get("TONGKE_LOG_LEVEL", "INFO"), format="%(levelname)s %(name)s: %(message)s")
    os.nice(10)  # a lesson that is live always comes first
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        store = Store.open(options.store, Access(options.endpoint, options.region))
        options.archive.mkdir(parents=True, exist_ok=True)
        LocalPlace(options.archive).clear()
        low_space = little_room(options.archive, LEAST_FREE)
        place = StorePlace(options.archive, store)
        Uploader(options.archive, store, options.keep * 3600, low_space, place.adopt).run(stop)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"recordings cannot be sent: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
