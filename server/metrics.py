"""Prometheus metrics: HTTP as seen at the door, rooms, the counters of every media worker, and everybody's lines."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from media.messages import TransportStatistics
from signaling.statistics import loss as loss_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# What a worker measures as it is now; everything else it counts from its start on.
_GAUGES = frozenset(
    {
        "accelerated",
        "transports",
        "transports_connected",
        "publications",
        "publications_recorded",
        "slots",
        "slots_flowing",
    }
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

        self._connections = Counter(
            "tongke_https_connections",
            "Connections to the HTTPS port, by what they were",
            ("kind",),
            registry=self.registry,
        )

    def connection(self, kind: str) -> None:
        """Somebody connected to the HTTPS port, see https_port.py."""
        self._connections.labels(kind).inc()

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


class _Lines(Collector):
    """The lines of all participants together, as the last survey found them: how many, how good, how busy."""

    QUANTILES = (0.5, 0.95)

    def __init__(self, transports: Iterable[TransportStatistics]) -> None:
        self._transports = [one for one in transports if one.connected]

    def collect(self) -> Iterator[Metric]:
        labels = ["direction", "protocol"]
        count = GaugeMetricFamily("tongke_lines", "Connected transports", labels=labels)
        bitrate = GaugeMetricFamily("tongke_line_bits_per_second", "Media they carry, all together", labels=labels)
        loss = GaugeMetricFamily("tongke_line_loss_ratio", "Packets lost, share of all, by bitrate", labels=labels)
        trip = GaugeMetricFamily(
            "tongke_line_round_trip_seconds", "Round trip, by quantile", labels=[*labels, "quantile"]
        )
        groups: defaultdict[tuple[str, str], list[TransportStatistics]] = defaultdict(list)
        for one in self._transports:
            groups[one.direction, one.protocol].append(one)
        for key, some in groups.items():
            total = sum(one.bitrate for one in some)
            count.add_metric(key, len(some))
            bitrate.add_metric(key, total)
            loss.add_metric(key, sum(loss_of(one) * one.bitrate for one in some) / total if total else 0.0)
            trips = sorted(one.rtt_ms / 1000 for one in some if one.rtt_ms is not None)
            for quantile in self.QUANTILES:
                if trips:
                    place = min(len(trips) - 1, int(quantile * len(trips)))
                    trip.add_metric([*key, str(quantile)], trips[place])
        yield from (count, bitrate, loss, trip)
        slots = [slot for one in self._transports for slot in one.slots]
        yield GaugeMetricFamily(
            "tongke_slots_paused", "Pictures paused for want of bandwidth", sum(s.paused for s in slots)
        )
        heights = GaugeMetricFamily("tongke_slots_by_height", "Pictures received, by their lines", labels=["height"])
        for height, number in sorted(Tally(slot.height for slot in slots if slot.height and not slot.paused).items()):
            heights.add_metric([str(height)], number)
        yield heights


class _Gauges(Collector):
    """Values as they are now."""

    def __init__(self, values: Mapping[str, tuple[str, float]]) -> None:
        self._values = values

    def collect(self) -> Iterable[Metric]:
        for name, (what, value) in self._values.items():
            yield GaugeMetricFamily(f"tongke_{name}", what, value)


def exposition(
    meter: HttpMeter,
    measured: Mapping[str, Mapping[str, float]],
    gauges: Mapping[str, tuple[str, float]],
    transports: Iterable[TransportStatistics] = (),
    others: Iterable[Collector] = (),
) -> bytes:
    """All metrics in Prometheus's text format."""
    now = CollectorRegistry()
    now.register(_Media(measured))
    now.register(_Gauges(gauges))
    now.register(_Lines(transports))
    for other in others:
        now.register(other)
    return generate_latest(meter.registry) + generate_latest(now)


def parse_name(key: str) -> tuple[str, dict[str, str]]:
    """A worker's counter as name and labels: `dropped_stun_malformed` is `dropped` for that reason."""
    if key.startswith("dropped_"):
        return "dropped", {"reason": key.removeprefix("dropped_")}
    return key, {}


def _sample_name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name
