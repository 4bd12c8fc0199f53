"""The `tongke` command."""

import sys
from importlib.metadata import version


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.argv[1:] == ["version"]:
        sys.stdout.write(f"tongke {version('tongke')}\n")
        return 0
    sys.stderr.write("usage: tongke version\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
