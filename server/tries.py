"""How often wrong class codes and passwords may be tried.

A school's whole corridor sits behind one address and enters right codes all day, so only wrong tries count. One address
gets few of them; all addresses together get so many that guessing through the million codes takes days. When that
common bound is reached, an address that never was wrong is still let in: an attack keeps no class out.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import math
import time
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class TooManyTriesError(Exception):
    """Wait `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class WrongTries:
    """Counts wrong tries by address and altogether."""

    def __init__(
        self, space: str, *, per_minute: int = 10, per_hour: int = 60, altogether_per_minute: int = 300
    ) -> None:
        self._space = space
        self._each: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(per_minute), RateLimitItemPerHour(per_hour))
        self._altogether: RateLimitItem = RateLimitItemPerMinute(altogether_per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by network, while someone tries

    @contextlib.asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Try within it, and say `wrong` before it ends. Raises TooManyTriesError.

        One try of an address after the other: a thousand sent at once would all be let in before the first is counted.
        """
        network = network_of(address)
        lock = self._turns.get(network) or self._turns.setdefault(network, asyncio.Lock())
        async with lock:
            self.check(address)
            yield

    def check(self, address: str) -> None:
        """Raises TooManyTriesError when this address has to wait."""
        network = network_of(address)
        for limit in self._each:
            if not self._limiter.test(limit, self._space, network):
                raise TooManyTriesError(self._wait(limit, network))
        if not self._spotless(network) and not self._limiter.test(self._altogether, self._space):
            raise TooManyTriesError(self._wait(self._altogether))

    def doubtful(self, address: str) -> bool:
        """Whether what this address has right may be a guess: it was wrong lately, or many are just now."""
        return not (self._spotless(network_of(address)) and self._limiter.test(self._altogether, self._space))

    def wrong(self, address: str) -> None:
        """This address was wrong once more."""
        network = network_of(address)
        for limit in self._each:
            self._limiter.hit(limit, self._space, network)
        self._limiter.hit(self._altogether, self._space)

    def _spotless(self, network: str) -> bool:
        hour = self._each[-1]
        return self._limiter.get_window_stats(hour, self._space, network).remaining == hour.amount

    def _wait(self, limit: RateLimitItem, *who: str) -> int:
        return max(1, math.ceil(self._limiter.get_window_stats(limit, self._space, *who).reset_time - time.time()))


def network_of(address: str) -> str:
    """What counts as one address: for IPv6 the /64, of which one machine has all."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
    return str(ip)
