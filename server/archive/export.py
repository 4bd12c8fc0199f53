"""`tongke export`: one ordinary file of a recorded lesson. Runs beside a live server, with the lowest priority."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TextIO

from recorder.manifest import ManifestError
from recorder.places.place import PlaceError
from recorder.rendering.progress import NothingToRenderError
from server.archive.places import open_place
from server.archive.recordings import Recordings
from server.data_folder import why_not
from server.failure import CannotWorkError
from server.settings import Settings

Kind = Literal["camera", "movie", "audio"]

_NOTHING: dict[Kind, str] = {
    "camera": "neither camera nor microphone of a lead teacher",
    "movie": "no picture",
    "audio": "no sound",
}


def export(settings: Settings, lesson_id: str, out: Path, kind: Kind = "camera") -> None:
    """Write a recorded lesson to `out`. Raises CannotWorkError.

    `camera` is the lead teacher's camera with all that was heard, `movie` the whole lesson as one directed picture,
    `audio` the sound alone.
    """
    place = open_place(settings)
    word = Recordings(place).word(lesson_id)
    if word == "none":
        raise CannotWorkError(f"There is no recording of a lesson {lesson_id} in {settings.archive}.")
    if word == "recording":
        raise CannotWorkError(f"Lesson {lesson_id} is still being recorded; end it first.")
    parent = out.absolute().parent
    if not parent.is_dir():
        raise CannotWorkError(f"{parent} is no folder.")
    os.nice(19)
    try:
        with place.local(lesson_id) as folder:
            # Imported when it is needed: PyAV takes a fifth of a second and 60 MB.
            module = importlib.import_module(f"recorder.rendering.{kind}")
            module.render(folder, out, teller(sys.stderr))
    except NothingToRenderError as error:
        raise CannotWorkError(f"Lesson {lesson_id} has {_NOTHING[kind]}.") from error
    except (PlaceError, LookupError) as error:
        raise CannotWorkError(f"The recording of lesson {lesson_id} cannot be fetched: {error}.") from error
    except (ManifestError, FileNotFoundError) as error:
        raise CannotWorkError(f"The recording of lesson {lesson_id} is damaged: {error}.") from error
    except OSError as error:
        raise CannotWorkError(why_not(error, parent)) from error


def teller(terminal: TextIO) -> Callable[[float], None]:
    """Says how far it is, where a person looks on."""
    if not terminal.isatty():
        return lambda fraction: None
    told = 0.0

    def tell(fraction: float) -> None:
        nonlocal told
        if fraction == 1.0 or time.monotonic() - told > 0.5:
            told = time.monotonic()
            terminal.write(f"\r{fraction:4.0%}" + ("\n" if fraction == 1.0 else ""))
            terminal.flush()

    return tell
