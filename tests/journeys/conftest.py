"""Every journey leaves pictures behind: build/journeys/<journey>/, made anew each time and not kept in Git."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.screenshots import kept_in

FOLDER = Path(__file__).parents[2] / "build" / "journeys"


@pytest.fixture(autouse=True)
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """What its pages showed at the end, whether it went well or not, and those it took itself on the way."""
    folder = FOLDER / re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    with kept_in(folder):
        yield
    for taken in sorted(tmp_path.glob("*.png")):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(taken, folder / taken.name)
