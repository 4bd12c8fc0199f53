"""Turns a lesson's publications into an archive that survives a crash."""
