from pathlib import Path

import pytest

from server.command import main
from server.settings import Address, Settings, SettingsError, add_flags, load


def from_flags(*flags: str, environ: dict[str, str] | None = None) -> Settings:
    import argparse

    parser = argparse.ArgumentParser()
    add_flags(parser)
    return load(parser.parse_args(flags), environ or {})


def test_without_anything_said_the_defaults_of_the_contract_hold() -> None:
    settings = from_flags()
    assert (str(settings.http), str(settings.https), settings.media_port) == ("0.0.0.0:8080", "0.0.0.0:8443", 7000)
    assert settings.data == Path("data")
    assert settings.archive == Path("data/archive")
    assert settings.database.startswith("sqlite+aiosqlite:///")


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tongke.toml"
    file.write_text('http = "127.0.0.1:1"\nmedia-port = 2\nworkers = 2\n')
    environ = {"TONGKE_CONFIG": str(file), "TONGKE_HTTP": "127.0.0.1:3", "TONGKE_MEDIA_PORT": "4"}
    settings = from_flags("--http", "127.0.0.1:5", environ=environ)
    assert (settings.http.port, settings.media_port, settings.workers) == (5, 4, 2)


def test_an_address_for_tls_wins_over_no_https_from_further_back() -> None:
    assert from_flags(environ={"TONGKE_NO_HTTPS": "1"}).https is None
    assert from_flags("--https", ":9", environ={"TONGKE_NO_HTTPS": "1"}).https == Address("0.0.0.0", 9)


def test_children_get_the_same_settings_by_environment() -> None:
    flags = ("--no-https", "--public-ip", "203.0.113.5", "2001:db8::1", "--data", "/srv/tongke")
    workers = ("--workers", "3", "--viewers-per-worker", "100")
    turn = ("--turn-server", "turn:t.example?transport=udp", "stun:[2001:db8::2]", "--turn-secret-file", "/run/turn")
    settings = from_flags(*flags, *workers, *turn)
    assert settings.viewers_per_worker == 100
    assert load(None, settings.environment()) == settings


def test_turn_servers_are_named_by_flags_by_environment_or_in_the_file(tmp_path: Path) -> None:
    secret, uris = str(tmp_path / "turn.secret"), ["turn:t.example:3478?transport=udp", "turns:t.example:443"]
    file = tmp_path / "tongke.toml"
    file.write_text(f'turn-server = ["{uris[0]}", "{uris[1]}"]\nturn-secret-file = "{secret}"\n')
    for settings in (
        from_flags("--turn-server", uris[0], "--turn-server", uris[1], "--turn-secret-file", secret),
        from_flags(environ={"TONGKE_TURN_SERVER": " ".join(uris), "TONGKE_TURN_SECRET_FILE": secret}),
        from_flags("--config", str(file)),
    ):
        assert [str(uri) for uri in settings.turn_server] == uris
        assert settings.turn_secret_file == Path(secret)
    assert from_flags("--turn-server", "stun:t.example").turn_secret_file is None


def test_the_turn_secret_itself_goes_to_no_child(tmp_path: Path) -> None:
    secret = tmp_path / "turn.secret"
    secret.write_text("north wind\n")
    settings = from_flags("--turn-server", "turn:t.example", "--turn-secret-file", str(secret))
    assert "north wind" not in repr((settings, settings.environment()))


def test_a_store_is_recorded_to_the_data_folder_first() -> None:
    settings = from_flags("--archive-url", "s3://lessons/beijing", "--data", "/d")
    assert settings.archive_in_store
    assert settings.archive == Path("/d/archive")
    assert not from_flags("--archive-url", "file:///a").archive_in_store


def test_the_stores_credentials_come_by_environment_or_file_and_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('archive_access_key = "key-of-the-store"\narchive_secret_key = "north wind"\n')
    settings = from_flags("--archive-url", "s3://lessons", "--config", str(tmp_path / "t.toml"))
    assert settings.archive_secret_key == "north wind"
    assert "north wind" not in repr(settings)
    assert "key-of-the-store" not in repr(settings)
    assert load(environ=settings.environment()).archive_secret_key == "north wind"
    with pytest.raises(SystemExit):
        from_flags("--archive-secret-key", "x")
    with pytest.raises(SettingsError, match="one of them is missing"):
        load(environ={"TONGKE_ARCHIVE_ACCESS_KEY": "x"})


def test_how_long_lessons_are_kept_goes_to_the_children_as_it_was_said(tmp_path: Path) -> None:
    settings = from_flags("--retention", "365", "lecture=0")
    assert load(environ=settings.environment()).retention == settings.retention
    (tmp_path / "t.toml").write_text("retention = 365\n")
    assert [str(rule) for rule in from_flags("--config", str(tmp_path / "t.toml")).retention] == ["365"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--http", "8080"), "--http must be HOST:PORT"),
        (("--http", "x:99999"), "--http must be HOST:PORT"),
        (("--media-port", "many"), "--media-port must be a number"),
        (("--public-ip", "school.example"), "--public-ip takes IP addresses"),
        (("--turn-server", "turn://turn.example"), "--turn-server takes addresses like turn:.*, not 'turn://turn.ex"),
        (("--turn-server", "turn:[1::2::3]"), "--turn-server takes addresses like"),
        (("--turn-server", "turn:turn.example"), "--turn-secret-file go together"),
        (("--turn-server", "stun:turn.example", "--turn-secret-file", "x"), "--turn-secret-file go together"),
        (("--tls-cert", "c.pem"), "--tls-cert and --tls-key go together"),
        (("--redis-url", "redis://x"), "--redis-url"),
        (("--archive-url", "s3://"), "--archive-url"),
        (("--archive-url", "gs://bucket"), "--archive-url"),
        (("--archive-url", "s3://key:secret@bucket/x"), "credentials come by the environment"),
        (("--archive-endpoint", "s3.example.org"), "--archive-endpoint"),
        (("--archive-playback", "teleport"), "--archive-playback"),
        (("--archive-keep-hours", "-1"), "--archive-keep-hours"),
        (("--away-seconds", "3601"), "--away-seconds"),
        (("--retention", "party=3"), "--retention takes days"),
        (("--archive-url", "s3://["), "--archive-url"),
        (("--database-url", "mysql://x/y"), "--database-url must begin with"),
        (("--config", "/nowhere.toml"), "cannot be read"),
        (("--https", ":1", "--no-https"), "exclude each other"),
    ],
)
def test_a_setting_that_cannot_be_is_named_in_one_sentence(flags: tuple[str, ...], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as raised:
        from_flags(*flags)
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith(".")


def test_a_wrong_setting_ends_the_command_with_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--media-port", "no"]) == 1
    assert capsys.readouterr().err == "--media-port must be a number from 0 to 65535, not 'no'.\n"
