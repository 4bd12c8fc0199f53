"""Says whether this machine can carry lessons, and what to do where it cannot."""
