"""What the person who runs Tongke may choose, read once from flags, environment and an optional TOML file.

A flag wins over `TONGKE_<FLAG>`, that over the TOML file named by `--config`, that over the default. Children of the
supervisor get the same settings through the environment (`Settings.environment`).
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from server.failure import CannotWorkError
from server.ice_uri import IceUri
from server.lessons.retention_rule import RetentionRule


class SettingsError(CannotWorkError):
    """A setting that cannot be; the text names it and says what would be right."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener is bound: host and TCP port, port 0 for any free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """An address from `HOST:PORT`, `[IPV6]:PORT` or `:PORT`."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"  # noqa: S104 - every address is the default
        if not colon or not port.isdecimal() or int(port) > 65535:
            raise SettingsError(f"{name} must be HOST:PORT, not {text!r}.")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    http: Address = Address("0.0.0.0", 8080)  # noqa: S104
    """Where pages and API are served without TLS."""
    https: Address | None = Address("0.0.0.0", 8443)  # noqa: S104
    """Where they are served with TLS; None with --no-https. Elsewhere than on localhost a camera needs it."""
    tls_cert: Path | None = None
    """PEM certificate chain; without one a self-signed certificate is made in the data folder."""
    tls_key: Path | None = None
    """PEM private key of it."""
    media_port: int = 7000
    """UDP and TCP port of the first media worker; worker n has this plus n. 0 takes any free ports."""
    public_ip: tuple[str, ...] = ()
    """Addresses browsers reach this machine by when they are not its own (behind a NAT or a container network)."""
    turn_server: tuple[IceUri, ...] = ()
    """STUN and TURN servers that browsers may use where the way to the media port is closed."""
    turn_secret_file: Path | None = None
    """The secret shared with the TURN servers (coturn's static-auth-secret), of which credentials are made."""
    workers: int = 0
    """Media workers; 0 means one per core less one, at least one."""
    viewers_per_worker: int = 0
    """Viewers that a media worker serves before a lesson's next ones go to another; 0 means 250."""
    away_seconds: int = 60
    """How long somebody whose connection is lost may stay away before they have left the room."""
    data: Path = Path("data")
    """Folder of everything that must survive: database, archive, journals, secret, certificate."""
    database_url: str = ""
    """PostgreSQL or SQLite by URL; empty means SQLite in the data folder."""
    redis_url: str = ""
    """Shared state of several nodes. Not in this version: a value is refused."""
    archive_url: str = ""
    """Where lessons are archived: a folder (file:///…) or an S3 store (s3://bucket/prefix); empty: <data>/archive."""
    archive_endpoint: str = ""
    """URL of an S3 store that is not Amazon's."""
    archive_region: str = ""
    """Region of the S3 store."""
    archive_access_key: str = field(default="", repr=False)
    """Access key of the S3 store. No flag, for all users see those; AWS_ACCESS_KEY_ID is looked at, too."""
    archive_secret_key: str = field(default="", repr=False)
    """Secret of it; by environment or settings file only, as the access key."""
    archive_playback: Literal["through", "redirect"] = "through"
    """Whether media that only the S3 store has come through us or straight from it, by signed addresses."""
    archive_keep_hours: int = 24
    """How long media stay in the data folder after the S3 store has them."""
    retention: tuple[RetentionRule, ...] = ()
    """How many days lessons are kept after their end, by kind; empty means for ever."""
    secret_file: Path | None = None
    """Key that signs grants and sessions; made in the data folder when not given."""
    config: Path | None = None
    """TOML file with any of these."""

    @property
    def worker_count(self) -> int:
        return self.workers or max(1, (os.cpu_count() or 1) - 1)

    @property
    def archive(self) -> Path:
        """The folder that holds one folder per lesson; before an S3 store, the one lessons are recorded to."""
        if self.archive_in_store or not self.archive_url:
            return self.data / "archive"
        return Path(urlsplit(self.archive_url).path)

    @property
    def archive_in_store(self) -> bool:
        return urlsplit(self.archive_url).scheme == "s3"

    @property
    def journals(self) -> Path:
        """The folder of the rooms' event logs while a lesson is not over."""
        return self.data / "journals"

    @property
    def secret(self) -> Path:
        return self.secret_file or self.data / "secret.key"

    @property
    def database(self) -> str:
        """The database's URL in the form SQLAlchemy takes, with an asynchronous driver."""
        url = self.database_url or f"sqlite:///{self.data.absolute() / 'tongke.db'}"
        scheme, _, rest = url.partition("://")
        driver = {"sqlite": "sqlite+aiosqlite", "postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg"}
        return f"{driver.get(scheme, scheme)}://{rest}"

    def environment(self) -> dict[str, str]:
        """These settings as environment variables, for child processes."""
        values = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "config":
                continue  # its values are in the others
            if one.name == "https" and value is None:
                values["TONGKE_NO_HTTPS"] = "1"
            elif isinstance(value, tuple):
                values[_variable(one.name)] = ",".join(map(str, value))
            elif value not in (None, ""):
                values[_variable(one.name)] = str(value)
        return values


def add_flags(parser: argparse.ArgumentParser, names: Iterable[str] | None = None) -> None:
    """The flags of `serve`, or those of these names; what is not given on the command line stays None."""
    flags = parser.add_argument_group("settings (each also as TONGKE_<FLAG>)")
    wanted = _FLAGS if names is None else {name: _FLAGS[name] for name in names}
    for name, (metavar, what) in wanted.items():
        flag = "--" + name.replace("_", "-")
        if name == "no_https":
            flags.add_argument(flag, action="store_const", const="1", help=what)
        elif name in ("public_ip", "turn_server", "retention"):
            flags.add_argument(flag, metavar=metavar, nargs="+", action="extend", help=what)
        else:
            flags.add_argument(flag, metavar=metavar, help=what)


def load(arguments: argparse.Namespace | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force. Raises SettingsError."""
    environ = os.environ if environ is None else environ
    given = _from_environment(environ) | _from_flags(arguments)
    if config := given.get("config"):
        given = _from_toml(Path(str(config))) | given
    return _build(given)


def _from_flags(arguments: argparse.Namespace | None) -> dict[str, Any]:
    flags = vars(arguments) if arguments is not None else {}
    given = {name: flags[name] for name in _NAMES if flags.get(name) is not None}
    if "https" in given and "no_https" in given:
        raise SettingsError("--https and --no-https exclude each other.")
    return _with_tls(given)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    return _with_tls({name: environ[_variable(name)] for name in _NAMES if environ.get(_variable(name))})


def _with_tls(given: dict[str, Any]) -> dict[str, Any]:
    """An address for TLS also says that there is TLS, over a `no_https` from further back."""
    return {"no_https": ""} | given if "https" in given else given


def _from_toml(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}.") from error
    values = {name.replace("-", "_"): value for name, value in values.items()}
    if unknown := sorted(values.keys() - _NAMES):
        raise SettingsError(f"The settings file {path} has an unknown setting {unknown[0]!r}.")
    return values


def _build(given: dict[str, Any]) -> Settings:
    chosen: dict[str, Any] = {}
    for name, value in given.items():
        if name == "http":
            chosen[name] = Address.parse(str(value), "--http")
        elif name == "https":
            chosen.setdefault(name, Address.parse(str(value), "--https"))
        elif name in ("media_port", "workers", "viewers_per_worker", "away_seconds", "archive_keep_hours"):
            chosen[name] = _number(name, value)
        elif name == "public_ip":
            chosen[name] = _addresses(value)
        elif name == "turn_server":
            chosen[name] = _ice_uris(value)
        elif name == "retention":
            chosen[name] = _rules(value)
        elif name in ("tls_cert", "tls_key", "turn_secret_file", "data", "secret_file", "config"):
            chosen[name] = Path(str(value)).expanduser()
        elif name != "no_https":
            chosen[name] = str(value)
    if _true(given.get("no_https", "")):
        chosen["https"] = None
    settings = Settings(**chosen)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise SettingsError("--tls-cert and --tls-key go together; one of them is missing.")
    if any(uri.relays for uri in settings.turn_server) != (settings.turn_secret_file is not None):
        raise SettingsError(
            "A turn: or turns: --turn-server and --turn-secret-file go together; one of them is missing."
        )
    if settings.redis_url:
        raise SettingsError("--redis-url: this version runs on one node and keeps its state itself; leave it out.")
    _check_archive(settings)
    if settings.database.partition("://")[0] not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise SettingsError("--database-url must begin with sqlite:/// or postgresql:// .")


def _check_archive(settings: Settings) -> None:
    scheme = _scheme(settings.archive_url)
    if scheme not in ("", "file", "s3"):
        raise SettingsError("--archive-url takes a folder (file:///…) or an S3 store (s3://bucket/prefix).")
    if scheme == "s3":
        parts = urlsplit(settings.archive_url)
        if not parts.hostname or "@" in parts.netloc or parts.query:
            raise SettingsError(
                "--archive-url names an S3 store as s3://bucket/prefix; credentials come by the environment"
                " (TONGKE_ARCHIVE_ACCESS_KEY, TONGKE_ARCHIVE_SECRET_KEY) or the settings file."
            )
    if settings.archive_endpoint and _scheme(settings.archive_endpoint) not in ("http", "https"):
        raise SettingsError("--archive-endpoint is a URL, like https://s3.example.org .")
    if bool(settings.archive_access_key) != bool(settings.archive_secret_key):
        raise SettingsError("archive_access_key and archive_secret_key go together; one of them is missing.")
    if settings.archive_playback not in ("through", "redirect"):
        raise SettingsError("--archive-playback is through or redirect.")


def _scheme(url: str) -> str | None:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return None


def _number(name: str, value: Any) -> int:
    flag, most = "--" + name.replace("_", "-"), _MOST.get(name, 256)
    try:
        number = int(value)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise SettingsError(f"{flag} must be a number from 0 to {most}, not {value!r}.")
    return number


def _addresses(value: Any) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_address(text)) for text in _texts(value))
    except ValueError as error:
        raise SettingsError(f"--public-ip takes IP addresses: {error}.") from error


def _ice_uris(value: Any) -> tuple[IceUri, ...]:
    try:
        return tuple(IceUri.parse(text) for text in _texts(value))
    except ValueError as error:
        raise SettingsError(
            "--turn-server takes addresses like turn:turn.example.org:3478?transport=udp, turns:… or stun:…,"
            f" not {str(error)!r}."
        ) from error


def _rules(value: Any) -> tuple[RetentionRule, ...]:
    try:
        return tuple(RetentionRule.parse(text) for text in _texts(str(value) if isinstance(value, int) else value))
    except ValueError as error:
        raise SettingsError(
            f"--retention takes days, for all kinds of lesson or for one, like 365 lecture=90; not {str(error)!r}."
        ) from error


def _texts(value: Any) -> list[str]:
    return value.replace(",", " ").split() if isinstance(value, str) else [str(item) for item in value]


def _true(value: Any) -> bool:
    return str(value).lower() not in ("", "0", "false", "no", "off")


def _variable(name: str) -> str:
    return "TONGKE_" + name.upper()


_FLAGS = {
    "http": ("HOST:PORT", "pages and API without TLS (0.0.0.0:8080)"),
    "https": ("HOST:PORT", "pages and API with TLS (0.0.0.0:8443)"),
    "no_https": ("", "serve no TLS"),
    "tls_cert": ("F", "PEM certificate chain (self-signed)"),
    "tls_key": ("F", "PEM private key"),
    "media_port": ("PORT", "UDP and TCP port of the first media worker (7000)"),
    "public_ip": ("IP", "addresses to announce to browsers (those of this machine)"),
    "turn_server": ("URI", "STUN and TURN servers for browsers (none)"),
    "turn_secret_file": ("F", "secret shared with the TURN servers"),
    "workers": ("N", "media workers (one per core less one)"),
    "viewers_per_worker": ("N", "viewers of a worker before a lesson grows onto another (250)"),
    "away_seconds": ("N", "seconds until who lost the connection has left the room (60)"),
    "data": ("DIR", "data folder (./data)"),
    "database_url": ("URL", "database (SQLite in the data folder)"),
    "redis_url": ("URL", "shared state of several nodes (not in this version)"),
    "archive_url": ("URL", "where lessons are archived: file:///… or s3://bucket/prefix (<data>/archive)"),
    "archive_endpoint": ("URL", "an S3 store that is not Amazon's"),
    "archive_region": ("NAME", "region of the S3 store"),
    "archive_playback": ("HOW", "media of the S3 store come through us or by redirect (through)"),
    "archive_keep_hours": ("N", "hours media stay here after the S3 store has them (24)"),
    "retention": ("RULE", "days lessons are kept: 365, lecture=90, … (for ever)"),
    "secret_file": ("F", "signing key (<data>/secret.key)"),
    "config": ("F", "TOML file with any of these"),
}
_SECRETS = ("archive_access_key", "archive_secret_key")  # never flags: every user of a machine sees those
_NAMES = frozenset((*_FLAGS, *_SECRETS))
_MOST = {"media_port": 65535, "viewers_per_worker": 4000, "away_seconds": 3600, "archive_keep_hours": 87600}
