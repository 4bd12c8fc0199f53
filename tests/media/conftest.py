"""What tests of the media plane share."""

from __future__ import annotations

import pytest

from media import accelerator, fanout
from media.transport import Transport
from media.worker import Worker


@pytest.fixture(params=["Python", "C"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test twice: without the accelerator, and with it for however few viewers."""
    if request.param == "Python":
        monkeypatch.setattr(accelerator, "hot", None)
    elif accelerator.hot is None:
        pytest.skip(f"the accelerator is {accelerator.state}")
    monkeypatch.setattr(fanout, "ACCELERATED", 1)
    return str(request.param)


@pytest.fixture(autouse=True)
def bugs_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker outlives a bug that meets one transport; a test must not."""

    def raise_it(self: Worker, transport: Transport) -> None:
        raise

    monkeypatch.setattr(Worker, "_broken", raise_it)
