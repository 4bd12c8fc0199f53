"""How a rendering says how far it is, and how it is told that nobody wants it any more.

Every rendering takes a `Progress` and calls it at least once per second of its work: with 0 … 1, never falling. Whoever
runs it may raise `Cancelled` out of that call; the rendering lets it pass and takes away what it has half made.
"""

from collections.abc import Callable

Progress = Callable[[float], None]


class Cancelled(Exception):  # noqa: N818 - not an error
    """Nobody wants what is being rendered any more."""


class NothingToRenderError(Exception):
    """The lesson has nothing such a file could be made of, as a poster of a lesson without a picture; no failure."""


def ignored(fraction: float) -> None:
    """A `Progress` for those who do not want to know."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """The `Progress` of a piece of the work that takes it from `start` to `end`."""
    return lambda fraction: progress(start + (end - start) * min(max(fraction, 0.0), 1.0))
