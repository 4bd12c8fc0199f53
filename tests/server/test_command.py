import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from server.command import main
from server.lessons.grants import Grants
from server.secret import load_secret


def test_the_command_tells_its_version() -> None:
    run = subprocess.run([sys.executable, "-m", "server", "version"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("tongke ")


def test_the_command_line_loads_nothing_heavy_to_know_what_is_asked(tmp_path: Path) -> None:
    look = (
        "import sys; from server.command import main; main(['version']); import server.supervisor; print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    # 0.4 s of the start, before any child of the supervisor has begun.
    assert not loaded & {"sqlalchemy", "aiohttp", "pydantic", "jwt", "cryptography", "av"}


def test_a_lesson_is_made_and_ended_without_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path)]
    assert main(["lesson", "create", "--title", "草原", "--kind", "lecture", "--json", *data]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["join_url"] == f"/class#{made['class_code']}"
    assert main(["lesson", "end", made["lesson_id"], *data]) == 0
    assert main(["lesson", "end", "nothing", *data]) == 1
    assert capsys.readouterr().err == "There is no lesson nothing.\n"


def test_a_token_says_lesson_role_time_and_participant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--lesson", "l1", "--role", "receiving_class", "--name", "六(2)班", "--ttl", "60", "--data", str(tmp_path)]
    assert main(["token", *flags, "--sub", "c-7"]) == 0
    claims = Grants(load_secret(tmp_path / "secret.key")).read(capsys.readouterr().out.strip())
    assert (claims.lesson_id, claims.role, claims.name) == ("l1", "receiving_class", "六(2)班")
    assert claims.participant_id == "c-7"


def test_only_an_administrator_s_token_is_for_no_lesson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--role", "observer", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "--lesson is needed for every role but admin.\n"
    assert main(["token", "--role", "admin", "--data", str(tmp_path)]) == 0


def test_a_user_is_added_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ["--role", "teacher", "--data", str(tmp_path)]
    assert main(["user", "add", "教师甲", *flags]) == 0
    assert capsys.readouterr().out.startswith("password: ")
    assert main(["user", "add", "教师甲", *flags]) == 1
    assert capsys.readouterr().err == "There is a user 教师甲 already.\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["user", "add", "教师乙", "--password-stdin", *flags]) == 1
    assert capsys.readouterr().err == "A password has 8 to 256 characters.\n"


def test_what_was_not_recorded_cannot_be_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "l1", "--out", str(tmp_path / "x.mp4"), "--data", str(tmp_path)]) == 1
    assert "no recording of a lesson l1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [[], ["dance"], ["lesson"], ["token", "--role", "headmaster"], ["token", "--sub", "c 7"], ["export", "l1"]],
)
def test_what_is_not_understood_is_answered_with_the_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(words)
    assert raised.value.code == 2
    assert "usage: tongke" in capsys.readouterr().err
