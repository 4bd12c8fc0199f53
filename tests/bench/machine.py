"""What a process costs, and how busy the machine is with other things meanwhile."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

QUIET = 0.10  # share of the machine that others may use while a latency still counts


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used between two moments."""

    seconds: float
    cpu: float  # CPU seconds of the measured processes
    ours: float  # CPU seconds of this process, which makes the load
    memory: int  # bytes they held at the end
    others: float  # share of all cores used by neither the measured processes nor us, 0…1

    @property
    def quiet(self) -> bool:
        return self.others < QUIET


class Meter:
    """Measures a server's processes, those they started among them, from now on."""

    def __init__(self, *pids: int) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        for process in list(self._processes):
            self._processes += process.children(recursive=True)
        self._own = psutil.Process()
        self.restart()

    def restart(self) -> None:
        self._start = time.monotonic()
        self._cpu, self._ours, self._busy = self._read()

    def cost(self) -> Cost:
        seconds = time.monotonic() - self._start
        cpu, ours, busy = self._read()
        used, loading = cpu - self._cpu, ours - self._ours
        others = (busy - self._busy - used - loading) / seconds / (os.cpu_count() or 1)
        return Cost(seconds, used, loading, sum(each.memory_info().rss for each in self._processes), max(0.0, others))

    def _read(self) -> tuple[float, float, float]:
        return sum(map(_cpu, self._processes)), _cpu(self._own), _busy()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _busy() -> float:
    """CPU seconds the whole machine has worked, guests counted once."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)


def describe() -> dict[str, str | int]:
    """On what a row was measured."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
