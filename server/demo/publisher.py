"""The synthetic teacher: draws a blackboard, speaks, and publishes both over WHIP until it is told to end.

    python -m server.demo.publisher --url http://127.0.0.1:8080/whip/LESSON --token-file FILE [--seconds N]

A real publisher without a browser: FFmpeg's WHIP muxer through PyAV, H.264 and Opus. The picture is encoded live, so
that its clock is true; the sound is a loop of finished packets. The token comes in a file, read again at each
connection, so that it stands in no process list and can be renewed. A lost connection is made again, after a pause
that doubles.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from server.demo import voice
from server.demo.blackboard import Blackboard

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between attempts to connect
STEADY = 10.0  # seconds after which a connection counts as good and the pause starts over
LATE = 0.3  # seconds behind the clock at which frames are left out instead of hurried through

EXIT_DONE, EXIT_REFUSED = 0, 3
# Refusals that another attempt would not change.
_FINAL = {"lesson_unknown", "lesson_ended", "not_allowed", "token_foreign"}


@dataclass(frozen=True, slots=True)
class Picture:
    width: int = 960
    height: int = 540
    rate: int = 20  # frames a second
    bit_rate: int = 700_000  # bits a second, far more than chalk on a board needs


class RefusedError(Exception):
    """The server said no for good. The argument is its code."""


class Publisher:
    """One synthetic lesson on its way to `url`, over as many connections as it takes."""

    def __init__(self, url: str, token_file: Path, picture: Picture | None = None) -> None:
        self._url = url
        self._token_file = token_file
        self._picture = picture or Picture()
        self._sound = voice.packets()
        self._ended = False

    def end(self) -> None:
        """Stop at the next frame. A signal handler may call it, so it takes no lock: an Event's could be held."""
        self._ended = True

    def run(self, seconds: float | None = None) -> None:
        """Publish for `seconds`, or until `end`. Raises RefusedError when the server will never take this lesson."""
        deadline = time.monotonic() + seconds if seconds is not None else float("inf")
        pause = FIRST_PAUSE
        with tempfile.TemporaryDirectory(prefix="tongke-demo-") as folder:
            write_certificate(Path(folder))
            while not self._ended and time.monotonic() < deadline:
                begun = time.monotonic()
                try:
                    self._publish(Path(folder), deadline)
                except (av.FFmpegError, OSError) as error:
                    if (code := refusal(self._url, self._token())) in _FINAL:
                        raise RefusedError(code) from error
                    if time.monotonic() - begun > STEADY:
                        pause = FIRST_PAUSE
                    logger.info("not connected, trying again in %.1f s: %s", pause, code or type(error).__name__)
                    self._sleep(min(pause, deadline - time.monotonic()))
                    pause = min(2 * pause, LONGEST_PAUSE)

    def _sleep(self, seconds: float) -> None:
        """Wait, but see within 0.1 s that `end` was called."""
        until = time.monotonic() + seconds
        while not self._ended and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))

    def _token(self) -> str:
        return self._token_file.read_text("utf-8").strip()

    def _publish(self, folder: Path, deadline: float) -> None:
        """One connection. Raises FFmpegError when it cannot be made or is lost."""
        options = {
            "authorization": self._token(),
            "cert_file": str(folder / "certificate.pem"),
            "key_file": str(folder / "key.pem"),
            # Tongke's workers are DTLS servers only; without this flag FFmpeg insists on being one too.
            "whip_flags": "dtls_active",
            "handshake_timeout": "5000",
        }
        picture = self._picture
        with contextlib.closing(av.open(self._url, "w", format="whip", options=options)) as container:
            video = container.add_stream(
                "libx264",
                rate=picture.rate,
                options={"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "threads": "1"},
            )
            video.width, video.height, video.pix_fmt = picture.width, picture.height, "yuv420p"
            video.bit_rate = picture.bit_rate
            video.codec_context.gop_size = 2 * picture.rate  # a key frame every two seconds, for those who come late
            audio = container.add_stream(
                "libopus", rate=48_000, layout="stereo"
            )  # never fed: its packets are ready made
            container.start_encoding()  # offers, waits for the answer, does ICE and DTLS
            logger.info("publishing")
            self._stream(container, video, audio, deadline)

    def _stream(
        self,
        container: av.container.OutputContainer,
        video: av.VideoStream,
        audio: av.AudioStream,
        deadline: float,
    ) -> None:
        """Frames and packets, each when its time has come."""
        picture = self._picture
        frame = av.VideoFrame(picture.width, picture.height, "yuv420p")
        first, second, third = frame.planes
        board = Blackboard(picture.width, picture.height, (first.line_size, second.line_size, third.line_size))
        start = time.monotonic()
        frames = sounds = 0  # how many have been sent, or left out
        while not self._ended:
            elapsed = time.monotonic() - start
            if start + elapsed >= deadline:
                break
            if elapsed - sounds * voice.PACKET > LATE:  # the machine was asleep or busy: both go on from now
                sounds, frames = int(elapsed / voice.PACKET), max(frames, int(elapsed * picture.rate))
            if elapsed >= sounds * voice.PACKET:
                packet = av.Packet(self._sound[sounds % len(self._sound)])
                packet.stream, packet.time_base = audio, Fraction(1, 48_000)
                packet.pts = packet.dts = sounds * 960
                packet.duration = 960
                container.mux(packet)
                sounds += 1
            elif elapsed >= frames / picture.rate:
                drawn = board.draw(elapsed, datetime.now())
                for plane, data in zip(frame.planes, drawn.planes, strict=True):
                    plane.update(bytes(data))
                frame.pts, frame.time_base = frames, Fraction(1, picture.rate)
                container.mux(video.encode(frame))
                frames += 1
            else:
                wake = min(sounds * voice.PACKET, frames / picture.rate)
                self._sleep(wake - elapsed)


def write_certificate(folder: Path) -> None:
    """certificate.pem and key.pem for DTLS. FFmpeg would make an RSA pair of its own, many times larger and slower."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tongke")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


def refusal(url: str, token: str) -> str | None:
    """The server's own word for why it refuses. FFmpeg tells only "4xx", so an empty offer is posted to learn it.

    None when it cannot be reached, or finds nothing wrong but the empty offer.
    """
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    request = urllib.request.Request(url, b"", headers, method="POST")  # noqa: S310 - the url is the operator's own
    try:
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        with contextlib.suppress(ValueError, AttributeError):
            code = json.loads(error.read()).get("code")
            return str(code) if code and code != "sdp_malformed" else None
    except OSError:
        pass
    return None


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 ended, 3 refused for good."""
    parser = argparse.ArgumentParser(prog="python -m server.demo.publisher", description="Publish a synthetic lesson.")
    parser.add_argument("--url", required=True, help="the lesson's WHIP address")
    parser.add_argument("--token-file", required=True, type=Path, help="file with a grant that may publish")
    parser.add_argument("--seconds", type=float, help="end after this long; default: only on SIGTERM")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    publisher = Publisher(given.url, given.token_file)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: publisher.end())
    try:
        publisher.run(given.seconds)
    except RefusedError as error:
        sys.stderr.write(f"the server refuses this lesson: {error}\n")
        return EXIT_REFUSED
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main())
