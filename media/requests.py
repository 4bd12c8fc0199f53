"""What the server asks of a worker, carried out: a request in, its reply out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from media.messages import (
    Answer,
    Answered,
    CloseTransport,
    Count,
    Done,
    Held,
    IceRestarted,
    ListHeld,
    Measure,
    Measured,
    Place,
    Pull,
    Record,
    Refused,
    Release,
    Reply,
    Request,
    RequestKeyFrame,
    RestartIce,
    SendTrain,
    StopRecording,
    Survey,
    Surveyed,
    TransportInfo,
    View,
)
from media.placing import place, unknown_publication, view
from media.publication import Publication
from media.recorder_feed import RecordedTrack, RecorderFeed
from media.relay import Relay
from media.roster import Roster, unknown_transport
from media.sdp import SdpError
from media.statistics import measure, survey
from media.train import Trains
from media.transport import Shared, Transport

MAX_TRANSPORTS = 4000  # of one worker; at some 150 kB each


class Requests:
    """`welcome` is called with each transport that is new, `forget` with each that the server closes."""

    def __init__(
        self,
        roster: Roster,
        shared: Shared,
        relay: Relay,
        recorder_feed: RecorderFeed,
        trains: Trains,
        counters: Counter[str],
        welcome: Callable[[Transport], None],
        forget: Callable[[Transport], None],
    ) -> None:
        self._roster = roster
        self._shared = shared
        self._relay = relay
        self._recorder_feed = recorder_feed
        self._trains = trains
        self._counters = counters
        self._welcome = welcome
        self._forget = forget

    def handle(self, request: Request, now: float) -> Reply:
        """Carry out a request."""
        roster = self._roster
        match request:
            case Answer():
                return self._answer(request, now)
            case Place():
                viewer = roster.viewer(request.transport_id)
                return place(request, viewer, self._find, now) if viewer else unknown_transport(request.transport_id)
            case RestartIce():
                return self._restart_ice(request.transport_id)
            case CloseTransport():
                transport = roster.transports.get(request.transport_id)
                if transport is None:
                    return unknown_transport(request.transport_id)
                self._forget(transport)
                return Done()
            case RequestKeyFrame():
                publication = roster.publications.get(request.publication_id)
                if publication is None:
                    return unknown_publication(request.publication_id)
                publication.request_key_frame(now, loss=True)
                return Done()
            case Record():
                return self._record(request, now)
            case StopRecording():
                publication = roster.publications.get(request.publication_id)
                if publication is None:
                    return unknown_publication(request.publication_id)
                publication.record(None, now)
                return Done()
            case ListHeld():
                for publication in roster.publications.values():
                    if publication.section.rids:  # said while no server was there, perhaps
                        self._shared.layers_wanted(publication, publication.wanted)
                return self._held()
            case Measure():
                return Measured(self._measure())
            case View():
                viewer = roster.viewer(request.transport_id)
                return view(request, viewer, now) if viewer else unknown_transport(request.transport_id)
            case Survey():
                known = (roster.transports.get(transport_id) for transport_id in request.transport_ids)
                return Surveyed(tuple(survey(transport, now) for transport in known if transport is not None))
            case SendTrain():
                transport = roster.transports.get(request.transport_id)
                if transport is None or transport.viewer is None:
                    return unknown_transport(request.transport_id)
                return self._trains.send(request, transport, now)
            case Count():
                transport = roster.transports.get(request.transport_id)
                return self._trains.count(transport, now) if transport else unknown_transport(request.transport_id)
            case Pull():
                if request.publication_id in roster.publications or self._relay.pull(request):
                    return Done()
                return Refused("limit_reached", "this worker has no way to others")
            case Release():
                return (
                    Done()
                    if self._relay.release(request.publication_id)
                    else unknown_publication(request.publication_id)
                )

    def _answer(self, request: Answer, now: float) -> Answered | Refused:
        known = self._roster.transports
        transport = known.get(request.transport_id)
        if transport is not None and transport.direction != request.direction:
            return Refused("unknown_transport", f"{request.transport_id} goes the other way")
        if transport is None and len(known) >= MAX_TRANSPORTS:
            return Refused("limit_reached", f"this worker has {MAX_TRANSPORTS} transports")
        fresh = transport is None
        if transport is None:
            transport = Transport(request.transport_id, request.direction, self._shared, now)
        try:
            answered = transport.answer(request.offer)
        except SdpError as error:
            return Refused(error.code, str(error))
        if fresh:
            self._welcome(transport)
        self._roster.enter(transport)
        return answered

    def _find(self, publication_id: str) -> Publication | None:
        """One that is sent to this worker, or that it can pull from another."""
        return self._roster.publications.get(publication_id) or self._relay.find(publication_id)

    def _restart_ice(self, transport_id: str) -> IceRestarted | Refused:
        transport = self._roster.transports.get(transport_id)
        if transport is None:
            return unknown_transport(transport_id)
        restarted = transport.restart_ice()
        self._roster.note_ufrags(transport)
        return restarted

    def _record(self, request: Record, now: float) -> Reply:
        publication = self._roster.publications.get(request.publication_id)
        if publication is None:
            return unknown_publication(request.publication_id)
        recording = publication.recording
        if not isinstance(recording, RecordedTrack) or recording.record != request:  # else an adopting server repeats
            publication.record(self._recorder_feed.track(request, publication.section.kind), now)
        return Done()

    def _held(self) -> Held:
        transports, publications = self._roster.transports.values(), self._roster.publications
        return Held(
            tuple(TransportInfo(it.transport_id, it.direction, it.connected) for it in transports),
            tuple(publication.info for publication in publications.values()),
            tuple(info for transport in transports for info in transport.slot_infos),
            tuple(id for id, publication in publications.items() if publication.recording is not None),
            self._relay.pulled,
            self._relay.path,
        )

    def _measure(self) -> dict[str, float]:
        relay = self._relay
        transports, publications = self._roster.transports.values(), self._roster.publications.values()
        counted = measure(self._counters, self._shared.batches, transports, publications, relay.publications)
        return {**counted, "publications_pulled": float(len(relay.pulled))}
