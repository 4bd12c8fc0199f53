"""Keeps the truth about a room and speaks it: rooms, event log, WebSocket, WHIP and WHEP, bus."""
