"""Replay over HTTP: what a recording is, and its files."""
