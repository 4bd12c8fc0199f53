"""The order of the house: which folder may import which, and what no file may carry."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "media": {"media", "aioice", "OpenSSL", "cryptography", "pylibsrtp", "cffi", "uvloop"},
    "signaling": {"signaling", "media", "aiohttp", "multidict", "redis", "pydantic"},
    "recorder": {"recorder", "media", "aiortc", "av", "obstore", "uvloop"},
}


def imported(path: Path) -> Iterator[str]:
    """Top-level names of the packages a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield path.parent.name if node.level else (node.module or "").partition(".")[0]


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_imports_go_one_way(folder: str) -> None:
    allowed = MAY_IMPORT[folder] | set(sys.stdlib_module_names)
    strays = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / folder).rglob("*.py")
        for name in imported(path)
        if name not in allowed
    }
    assert not strays


# Needed by name, not by import: database drivers.
UNIMPORTED = {"aiosqlite", "asyncpg"}


def test_what_the_house_imports_is_what_it_says_it_depends_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = {re.split(r"[^\w.-]", line)[0].lower() for line in project["dependencies"]}
    folders = ("media", "signaling", "recorder", "server")
    names = {name for folder in folders for path in (ROOT / folder).rglob("*.py") for name in imported(path)}
    packages = packages_distributions()
    used = {packages[name][0].lower().replace("_", "-") for name in names - set(sys.stdlib_module_names) - set(folders)}
    assert used == listed - UNIMPORTED


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name and (ROOT / name).is_file()]


def test_lock_files_name_no_registry() -> None:
    locks = (
        "requirements.lock",
        "requirements-dev.lock",
        "web/package-lock.json",
        "tests/support/s3rver/package-lock.json",
    )
    for name in locks:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r'"resolved"|index-url|https?://\S+\.(whl|tgz|tar\.gz)', text), name


def test_no_tracked_file_is_larger_than_a_megabyte() -> None:
    assert not [path.name for path in tracked_files() if path.stat().st_size > 1_048_576]
