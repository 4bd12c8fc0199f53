"""Builds the others, guards the door, serves rooms and replays: the only folder that knows them all."""
