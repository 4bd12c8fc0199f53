"""Prometheus metrics of jobs: how many wait, run and have failed, and how all of them ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from server.jobs.ledger import JobsUnavailableError
from server.jobs.service import Jobs


class JobMetrics(Collector):
    """As they are now. `None` stands for a store of jobs that cannot be used."""

    def __init__(
        self,
        now: Mapping[tuple[str, str], int] | None,
        tally: Mapping[tuple[str, str], tuple[int, float]] | None,
    ) -> None:
        self._now = now
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        usable = self._now is not None and self._tally is not None
        yield GaugeMetricFamily("tongke_jobs_usable", "Whether the store of background jobs answers", float(usable))
        labels = ["kind", "state"]
        jobs = GaugeMetricFamily("tongke_jobs", "Background jobs that wait, run or have failed", labels=labels)
        for key, count in (self._now or {}).items():
            jobs.add_metric(key, count)
        labels = ["kind", "outcome"]
        ended = CounterMetricFamily("tongke_jobs_ended", "Background jobs that have ended, by how", labels=labels)
        seconds = CounterMetricFamily("tongke_job_seconds", "What they took together", labels=labels)
        for key, (count, took) in (self._tally or {}).items():
            ended.add_metric(key, count)
            seconds.add_metric(key, took)
        yield from (jobs, ended, seconds)


async def measure(jobs: Jobs) -> JobMetrics:
    """The metrics of this moment."""
    try:
        return JobMetrics(await jobs.gauges(), await jobs.tally())
    except JobsUnavailableError:
        return JobMetrics(None, None)
