"""Moves each published packet to every subscription that wants it; knows no lesson and no user."""
