"""Makes media/hot.so, which forwards in C what media/fanout.py forwards in Python, if there is a C compiler.

Without one, or when it fails, nothing is made and nothing is said: Tongke does the same without it. Run by hatchling
for wheels and editable installs, and by `make` whenever hot.c has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent


def make(folder: Path) -> Path | None:
    """Compile `hot.c` of a folder; the library, or None if that cannot be done here."""
    source, library = folder / "hot.c", folder / "hot.so"
    if sys.platform != "linux" or not source.is_file():
        return None
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".hot-") as scratch:
        made = Path(scratch) / library.name
        command = (
            *shlex.split(os.environ.get("CC", "cc")),
            *("-std=c11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", f'-DTONGKE_SOURCE="{digest}"'),
            *("-o", str(made), str(source)),
        )
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603 - our own words
            made.replace(library)  # whoever has the former one loaded keeps it
        except (OSError, subprocess.SubprocessError):
            with contextlib.suppress(OSError):
                library.unlink()
            return None
    return library


class Hook(BuildHookInterface):  # type: ignore[type-arg]
    """A wheel with the library is for this kind of machine, and for every Python: it does not know Python."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        library = make(Path(self.root) / "media")
        if library is not None and version != "editable":
            build_data["artifacts"].append("/media/hot.so")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


if __name__ == "__main__":
    make(ROOT / "media")
