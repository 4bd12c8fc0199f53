"""JSON logs on stderr: one object a line, and never a token in it."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import TextIO

# A JWT begins with the base64 of '{"': whatever carries one by accident (an URL, an exception) is cut.
_TOKEN = re.compile(r"eyJ[\w-]{8,}(\.[\w-]*){0,2}")
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """A record as a JSON object; what the caller gave as `extra` becomes fields of its own."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update({name: value for name, value in vars(record).items() if name not in _OWN})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return _TOKEN.sub("…", json.dumps(entry, ensure_ascii=False, default=str))


def to_stderr(process: str, stream: TextIO | None = None) -> None:
    """Log JSON lines to stderr, or to `stream` instead, named after this process."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(process))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("alembic", "aiosqlite", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
