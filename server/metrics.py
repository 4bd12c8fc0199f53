"""Prometheus metrics: HTTP as seen at the door, rooms, and the counters of every media worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# What a worker measures as it is now; everything else it counts from its start on.
_GAUGES = frozenset(
    {"transports", "transports_connected", "publications", "publications_recorded", "slots", "slots_flowing"}
)


class HttpMeter:
    """Counts requests by route, never by path: a path may hold anything."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="tongke_server", registry=self.registry)
        labels = ("method", "route", "status")
        self._requests = Counter("tongke_http_requests", "HTTP requests", labels, registry=self.registry)
        self._seconds = Histogram(
            "tongke_http_request_seconds",
            "Time to answer",
            ("route",),
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
            registry=self.registry,
        )

    def saw(self, method: str, route: str, status: int, seconds: float) -> None:
        if method not in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            method = "other"
        self._requests.labels(method, route, str(status)).inc()
        if not route.startswith("/ws/"):  # lasts as long as the lesson
            self._seconds.labels(route).observe(seconds)


class _Media(Collector):
    """The workers' counters, one series for each worker."""

    def __init__(self, measured: Mapping[str, Mapping[str, float]]) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for worker, counters in self._measured.items():
            for key, value in counters.items():
                name, labels = parse_name(key)
                family = families.get(name)
                if family is None:
                    kind = GaugeMetricFamily if name in _GAUGES else CounterMetricFamily
                    family = families[name] = kind(f"tongke_media_{name}", f"Of the media workers: {name}")
                family.add_sample(_sample_name(family), {"worker": worker, **labels}, value)
        yield from families.values()


class _Gauges(Collector):
    """Values as they are now."""

    def __init__(self, values: Mapping[str, tuple[str, float]]) -> None:
        self._values = values

    def collect(self) -> Iterable[Metric]:
        for name, (what, value) in self._values.items():
            yield GaugeMetricFamily(f"tongke_{name}", what, value)


def exposition(
    meter: HttpMeter, measured: Mapping[str, Mapping[str, float]], gauges: Mapping[str, tuple[str, float]]
) -> bytes:
    """All metrics in Prometheus's text format."""
    now = CollectorRegistry()
    now.register(_Media(measured))
    now.register(_Gauges(gauges))
    return generate_latest(meter.registry) + generate_latest(now)


def parse_name(key: str) -> tuple[str, dict[str, str]]:
    """A worker's counter as name and labels: `dropped_stun_malformed` is `dropped` for that reason."""
    if key.startswith("dropped_"):
        return "dropped", {"reason": key.removeprefix("dropped_")}
    return key, {}


def _sample_name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name
