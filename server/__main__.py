"""`python -m server` is the `tongke` command."""

import sys

from server.command import main

if __name__ == "__main__":
    sys.exit(main())
