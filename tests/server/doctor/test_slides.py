from pathlib import Path

import pytest

from server.doctor import slides

FONTS = list(Path("/usr/share/fonts").rglob("*CJK*"))


@pytest.mark.skipif(not FONTS, reason="there is no Chinese font here")
def test_a_machine_with_a_chinese_font_draws_slides_that_do_not_bring_theirs() -> None:
    (finding,) = slides.drawing()
    assert (finding.check, finding.status) == ("slides", "ok")


def test_letters_that_do_not_come_out_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slides, "LETTERS", "  ")
    (finding,) = slides.drawing()
    assert finding.status == "warn"
    assert "Install" in finding.do


def test_a_machine_that_draws_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    (finding,) = slides.drawing()
    assert (finding.status, "cannot be drawn" in finding.says) == ("warn", True)
