"""The `tongke` command: what it takes, and which part of the program does it.

Every command is one function that returns an exit code. Parts are imported when their command runs: `tongke token` need
not load what `tongke serve` needs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

from server.accounts.roles import AccountRole
from server.failure import CannotWorkError
from server.lessons.kinds import LessonKind
from server.settings import Settings, add_flags, load
from signaling.grants import GrantRole
from signaling.recording_policy import RecordingPolicy

# Settings of commands that do not serve.
RECORDS = ("data", "database_url", "secret_file", "archive_url", "archive_endpoint", "archive_region", "config")
# A remote control comes by its teacher's code alone.
_GRANTED = tuple(role for role in get_args(GrantRole) if role != "remote_control")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 cannot work (one sentence on stderr), 2 not understood."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except CannotWorkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return code


# ── what runs ─────────────────────────────────────────────────────────────────────────────────────────────────────


def serve(given: argparse.Namespace) -> int:
    from server.log import to_stderr
    from server.supervisor import serve

    to_stderr("supervisor")
    return serve(load(given))


def demo(given: argparse.Namespace) -> int:
    from server.demo.show import demo

    return demo(load(given))


def process(given: argparse.Namespace) -> int:
    """The server process, as the supervisor starts it; its settings come by environment."""
    gc.disable()  # while modules load everything they make stays: looking for garbage there costs 0.1 s
    from server.process import Inherited, main
    from server.run_folder import RunFolder

    gc.freeze()
    gc.enable()
    return main(load(), RunFolder(given.run_folder), Inherited(given.http_fd, given.https_fd, given.ready_fd))


def doctor(given: argparse.Namespace) -> int:
    from server.doctor.report import doctor

    return doctor(load(given), as_json=given.json)


# ── records ───────────────────────────────────────────────────────────────────────────────────────────────────────


def lesson_create(given: argparse.Namespace) -> int:
    from server.lessons.api import join_url
    from server.lessons.store import NoFreeCodeError
    from server.records import open_records

    async def create(settings: Settings) -> tuple[str, str]:
        async with open_records(settings) as records:
            lesson, code = await records.lessons.create(
                given.title.strip(), given.kind, recording_policy=given.recording_policy
            )
            return lesson.id, code

    if not 1 <= len(given.title.strip()) <= 200:
        raise CannotWorkError("A title has 1 to 200 characters.")
    try:
        lesson_id, code = asyncio.run(create(load(given)))
    except NoFreeCodeError as error:
        raise CannotWorkError("All class codes are in use: end lessons that are over.") from error
    made = {"lesson_id": lesson_id, "class_code": code, "join_url": join_url(code)}
    _tell(made, given.json)
    return 0


def lesson_end(given: argparse.Namespace) -> int:
    from server.remote import end_lesson

    end_lesson(load(given), given.lesson_id)
    return 0


def token(given: argparse.Namespace) -> int:
    from server.lessons.grants import Grants
    from server.secret import load_secret

    if not given.lesson and given.role != "admin":
        raise CannotWorkError("--lesson is needed for every role but admin.")
    settings = load(given)
    grants = Grants(load_secret(settings.secret))
    made, _ = grants.mint(given.lesson, given.role, name=given.name, participant_id=given.sub, ttl=given.ttl)
    sys.stdout.write(made + "\n")
    return 0


def user_add(given: argparse.Namespace) -> int:
    from server.accounts.passwords import random_password
    from server.accounts.store import NameTakenError
    from server.records import open_records

    async def add(settings: Settings, name: str, password: str) -> None:
        async with open_records(settings) as records:
            await records.accounts.add(name, given.role, password)

    name = given.name.strip()
    if not 1 <= len(name) <= 64:
        raise CannotWorkError("A name has 1 to 64 characters.")
    password = sys.stdin.readline().rstrip("\n") if given.password_stdin else random_password()
    if not 8 <= len(password) <= 256:
        raise CannotWorkError("A password has 8 to 256 characters.")
    try:
        asyncio.run(add(load(given), name, password))
    except NameTakenError as error:
        raise CannotWorkError(f"There is a user {name} already.") from error
    if not given.password_stdin:
        sys.stdout.write(f"password: {password}\n")
    return 0


def export(given: argparse.Namespace) -> int:
    from server.archive.export import export

    export(load(given), given.lesson_id, given.out, given.kind)
    return 0


def archive_verify(given: argparse.Namespace) -> int:
    from server.archive.keeping import verify

    return verify(load(given), given.lesson_ids, given.quick, given.json)


def archive_repair(given: argparse.Namespace) -> int:
    from server.archive.keeping import repair

    return repair(load(given), given.lesson_ids)


def archive_move(given: argparse.Namespace) -> int:
    from server.archive.keeping import move

    if not given.lesson_ids and not given.all:
        raise CannotWorkError("Name the lessons to be moved, or say --all.")
    return move(load(given), given.lesson_ids, given.to, given.keep)


def archive_import(given: argparse.Namespace) -> int:
    from server.archive.keeping import bring_in

    title = (given.title or given.film.stem).strip()
    if not 1 <= len(title) <= 200:
        raise CannotWorkError("A title has 1 to 200 characters.")
    return bring_in(load(given), given.film, title, given.kind, given.json)


def show_version(given: argparse.Namespace) -> int:
    sys.stdout.write(f"tongke {version('tongke')}\n")
    return 0


# ── the words of the command line ─────────────────────────────────────────────────────────────────────────────────


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tongke", description="同课: live lessons shared between schools.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    _add(commands, "serve", serve, "serve pages, rooms and media until SIGTERM", settings=None)
    _add(
        commands, "demo", demo, "serve, with sample accounts, a live synthetic lesson and a recorded one", settings=None
    )

    lesson = commands.add_parser("lesson", help="make or end a lesson").add_subparsers(metavar="WHAT", required=True)
    create = _add(lesson, "create", lesson_create, "make a lesson")
    create.add_argument("--title", required=True)
    create.add_argument("--kind", choices=get_args(LessonKind), default="delivered_class", metavar="K")
    create.add_argument(
        "--recording-policy",
        choices=get_args(RecordingPolicy),
        default="consented",
        metavar="P",
        help="who is recorded: nothing, teacher_only, consented (teachers and classes that consented) or all",
    )
    create.add_argument("--json", action="store_true")
    end = _add(lesson, "end", lesson_end, "end a lesson for everyone")
    end.add_argument("lesson_id", metavar="LESSON_ID")

    grant = _add(commands, "token", token, "make a token for a role in a lesson")
    grant.add_argument("--lesson", metavar="ID", default="")
    grant.add_argument("--role", required=True, choices=_GRANTED)
    grant.add_argument("--name", metavar="N")
    grant.add_argument("--sub", type=_participant, metavar="ID", help="always the same participant, however it comes")
    grant.add_argument("--ttl", metavar="SECONDS", type=int, default=3600)

    out = _add(commands, "export", export, "write a recorded lesson as one file: MP4, or its sound as M4A")
    out.add_argument("lesson_id", metavar="LESSON_ID")
    out.add_argument("--out", required=True, type=Path, metavar="FILE", help="FILE.mp4, for audio FILE.m4a")
    out.add_argument(
        "--kind",
        choices=("camera", "movie", "audio"),
        default="camera",
        help="the lead's camera with all sound (without this option), the whole lesson directed, or the sound alone",
    )

    archive = commands.add_parser("archive", help="check, mend, move and add to the archived lessons")
    _archive(archive.add_subparsers(metavar="WHAT", required=True))

    check = _add(commands, "doctor", doctor, "check this machine and say what to do", settings=None)
    check.add_argument("--json", action="store_true")

    user = commands.add_parser("user", help="accounts").add_subparsers(metavar="WHAT", required=True)
    add = _add(user, "add", user_add, "add an account and print its password")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", required=True, choices=get_args(AccountRole))
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    commands.add_parser("version", help="print the version").set_defaults(run=show_version)

    child = commands.add_parser("process")  # without help: not for people
    child.add_argument("--run", type=Path, required=True, dest="run_folder")
    child.add_argument("--http-fd", type=int, required=True)
    child.add_argument("--https-fd", type=int)
    child.add_argument("--ready-fd", type=int, required=True)
    child.set_defaults(run=process)
    return parser


def _archive(commands: Any) -> None:
    check = _add(commands, "verify", archive_verify, "compare every file with the lesson's manifest")
    check.add_argument("--quick", action="store_true", help="sizes only, reading no media")
    check.add_argument("--json", action="store_true")
    mend = _add(commands, "repair", archive_repair, "replace what is damaged; what is lost becomes a gap")
    move = _add(commands, "move", archive_move, "bring lessons to another folder or store")
    move.add_argument("--to", required=True, metavar="URL", help="file:///… or s3://bucket/prefix")
    move.add_argument("--all", action="store_true", help="every lesson")
    move.add_argument("--keep", action="store_true", help="copy only")
    for one, many in ((check, "all"), (mend, "all"), (move, "none")):
        one.add_argument("lesson_ids", metavar="LESSON_ID", nargs="*", help=f"lessons ({many})")
    bring = _add(commands, "import", archive_import, "make a lesson of a film (MP4 and what else can be read)")
    bring.add_argument("film", type=Path, metavar="FILE")
    bring.add_argument("--title", help="of the lesson (the file's name)")
    bring.add_argument("--kind", choices=get_args(LessonKind), default="lecture", metavar="K")
    bring.add_argument("--json", action="store_true")


def _add(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    what: str,
    settings: Sequence[str] | None = RECORDS,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=what, description=what)
    parser.set_defaults(run=run)
    add_flags(parser, settings)
    return parser


def _participant(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", text):
        raise argparse.ArgumentTypeError("letters, digits, - and _, 40 at most")
    return text


def _tell(values: dict[str, str], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{name}: {value}\n" for name, value in values.items())
