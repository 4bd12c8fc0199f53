"""NTP time, in which RTCP speaks (RFC 3550 section 4): 64 bits, seconds since 1900 with 32 of them behind the point."""

from __future__ import annotations

EPOCH = 2_208_988_800  # seconds from 1900 to 1970


def from_wall(wall: float) -> int:
    """Seconds since 1970 as NTP time."""
    return int((wall + EPOCH) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF


def to_wall(ntp: int) -> float:
    """NTP time as seconds since 1970."""
    return ntp / (1 << 32) - EPOCH


def middle(ntp: int) -> int:
    """The middle 32 bits, in 1/65536 s: all that reports echo of a time."""
    return ntp >> 16 & 0xFFFF_FFFF
