"""`tongke export`: one ordinary MP4 file of a recorded lesson. Runs beside a live server, with the lowest priority."""

from __future__ import annotations

import os
from pathlib import Path

from server.archive.places import open_place
from server.archive.recordings import Recordings
from server.data_folder import why_not
from server.failure import CannotWorkError
from server.settings import Settings


def export(settings: Settings, lesson_id: str, out: Path) -> None:
    """Write the lead teacher's camera and microphone to `out`. Raises CannotWorkError."""
    recordings = Recordings(open_place(settings))
    folder = recordings.folder(lesson_id)
    word = recordings.word(lesson_id)
    if folder is None or word == "none":
        raise CannotWorkError(f"There is no recording of a lesson {lesson_id} in {settings.archive}.")
    if word == "recording":
        raise CannotWorkError(f"Lesson {lesson_id} is still being recorded; end it first.")
    from recorder.export import ExportError, export

    os.nice(19)
    try:
        export(folder, out)
    except ExportError as error:
        raise CannotWorkError(f"Lesson {lesson_id} has neither camera nor microphone of a lead teacher.") from error
    except FileNotFoundError as error:
        if not out.absolute().parent.is_dir():
            raise CannotWorkError(f"{out.absolute().parent} is no folder.") from error
        raise CannotWorkError(f"The recording of lesson {lesson_id} is damaged: {error}.") from error
    except OSError as error:
        raise CannotWorkError(why_not(error, out.absolute().parent)) from error
