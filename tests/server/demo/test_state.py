from pathlib import Path

from server.demo import state, welcome


def test_the_demo_s_passwords_and_code_stay_the_same_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    kept = state.State({"主讲教师甲": "abcd-efgh-jkmn"}, "012345", "live", "recorded", ["past"])
    state.save(path, kept)
    assert state.load(path) == kept
    assert path.stat().st_mode & 0o077 == 0


def test_a_state_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    for text in ("{", '{"other": 1}', "[]"):
        path.write_text(text)
        assert state.load(path) == state.State()


def test_the_welcome_names_every_address_and_password() -> None:
    known = state.State({name: f"password-of-{role}" for name, role, _ in welcome.ACCOUNTS}, "012345")
    text = welcome.text(known, "http://127.0.0.1:8080", "https://192.0.2.2:8443", recorded=False)
    for part in ("/class#012345", "012 345", "https://192.0.2.2:8443/", "主讲教师甲 / password-of-teacher", "两分钟"):
        assert part in text
    assert "两分钟" not in welcome.text(known, "http://127.0.0.1:8080", None, recorded=True)
