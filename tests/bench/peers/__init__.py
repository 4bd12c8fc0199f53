"""The servers that Tongke is compared with. They are found, not required; what is missing is left out by name."""

from __future__ import annotations

import os
from pathlib import Path

HOME = Path(os.environ.get("TONGKE_PEERS", ".setup/peers"))  # where `get` puts what Debian has no package for
