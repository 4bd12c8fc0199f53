"""`tongke demo`: a node as `serve` runs it, with sample accounts, a live synthetic lesson and a recorded one.

The console is kept for the addresses and passwords; what the processes log goes to <data>/demo.log.
"""

from __future__ import annotations

import os
import sys

from server.data_folder import PRIVATE, why_not
from server.failure import CannotWorkError
from server.log import to_stderr
from server.settings import Settings
from server.supervisor import Child, Node, serve


def demo(settings: Settings) -> int:
    """Run until SIGTERM or Ctrl-C; returns the exit code. Raises CannotWorkError."""
    os.umask(PRIVATE)
    path = settings.data / "demo.log"
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        log = path.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise CannotWorkError(why_not(error, settings.data)) from error
    with log:
        to_stderr("supervisor", log)
        code = serve(settings, director, log)
    if code:
        sys.stderr.write(f"{_last_words(path.read_text(encoding='utf-8'))} (log: {path})\n")
    return code


def director(node: Node) -> Child:
    """The process that plays the demo."""
    arguments = ["-m", "server.demo.director", "--http", node.http]
    if node.https:
        arguments += ["--https", node.https]
    return Child("demo", arguments, environment=node.settings.environment(), grace=8.0, speaks=True)


def _last_words(log: str) -> str:
    """The sentence of the process that could not work: the last line that is no JSON."""
    spoken = [line for line in log.splitlines() if line and not line.startswith("{")]
    return spoken[-1] if spoken else "Tongke cannot work."
