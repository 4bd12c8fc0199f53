"""What tests of the media plane share."""

from __future__ import annotations

import pytest

from media import accelerator, fanout


@pytest.fixture(params=["Python", "C"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test twice: without the accelerator, and with it for however few viewers."""
    if request.param == "Python":
        monkeypatch.setattr(accelerator, "hot", None)
    elif accelerator.hot is None:
        pytest.skip(f"the accelerator is {accelerator.state}")
    monkeypatch.setattr(fanout, "ACCELERATED", 1)
    return str(request.param)
