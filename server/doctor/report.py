"""`tongke doctor`: runs every check and tells what it found, as text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict

from server.data_folder import DataFolder
from server.doctor import machine, media, slides, store, turn
from server.doctor.finding import Finding
from server.settings import Settings

SIGNS = {"ok": "✓", "warn": "!", "bad": "✗"}


def doctor(settings: Settings, as_json: bool) -> int:
    """Check and tell; 0 when lessons will work, 1 when something is bad."""
    findings = []
    for finding in examine(settings):
        findings.append(finding)
        if not as_json:
            sys.stdout.write(as_text(finding))
            sys.stdout.flush()
    bad = sum(finding.status == "bad" for finding in findings)
    if as_json:
        document = {"ok": not bad, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.write("Lessons will work here.\n" if not bad else f"Lessons will not work: {bad} to put right.\n")
    return 1 if bad else 0


def examine(settings: Settings) -> Iterator[Finding]:
    """What all checks find, in the order in which to put things right."""
    running = DataFolder(settings.data).running()
    checks: list[Callable[[], Iterable[Finding]]] = [
        lambda: machine.data_folder(settings),
        lambda: machine.database(settings),
        lambda: store.store(settings),
        lambda: machine.ports(settings, running),
        lambda: machine.addresses(settings),
        lambda: turn.servers(settings),
        lambda: machine.certificate(settings),
        machine.clock,
        machine.limits,
        machine.pages,
        slides.drawing,
        media.codecs,
        media.loopback,
    ]
    for check in checks:
        yield from check()


def as_text(finding: Finding) -> str:
    """A finding for reading: what, how it is, and below it what to do."""
    line = f"{SIGNS[finding.status]} {finding.check}: {finding.says}\n"
    return line + (f"    → {finding.do}\n" if finding.do else "")
