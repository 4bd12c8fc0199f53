"""One connection of the synthetic teacher: draws, speaks, and publishes by WHIP until told to end or until it is lost.

    python -m server.demo.broadcast --url URL --token-file FILE [--seconds N]      started by server.demo.publisher

A real publisher without a browser: FFmpeg's WHIP muxer through PyAV, H.264 and Opus. The picture is encoded live, so
that its clock is true; the sound is a loop of finished packets.

A process of its own, because FFmpeg may wait for ever: once the server has closed DTLS, the muxer's next write does not
return, not even on a signal. An alarm that nobody handles ends the process then.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
from cryptography.hazmat.primitives import serialization

from media.certificate import Certificate
from server.demo import voice
from server.demo.blackboard import Blackboard
from server.demo.publisher import EXIT_DONE, EXIT_LOST, PUBLISHING, command_line

CONNECTING = 15  # seconds FFmpeg may take to connect or to say goodbye …
STUCK = 3  # … and for one packet
LATE = 0.3  # seconds behind the clock at which frames are left out instead of hurried through


@dataclass(frozen=True, slots=True)
class Picture:
    width: int = 960
    height: int = 540
    rate: int = 20  # frames a second
    bit_rate: int = 700_000  # bits a second, far more than chalk on a board needs


class Broadcast:
    """One connection to `url`, for `seconds` or until `end`."""

    def __init__(self, url: str, token: str, seconds: float = float("inf"), picture: Picture | None = None) -> None:
        self._url = url
        self._token = token
        self._seconds = seconds
        self._picture = picture or Picture()
        self._parent = os.getppid()
        self._ended = False

    def end(self) -> None:
        """Stop at the next frame. A signal handler may call it, so it takes no lock: an Event's could be held."""
        self._ended = True

    def run(self) -> None:
        """Connect and publish. Raises FFmpegError when that cannot be, or is no longer."""
        picture = self._picture
        with tempfile.TemporaryDirectory(prefix="tongke-demo-") as name:
            folder = Path(name)
            write_certificate(folder)
            options = {
                "authorization": self._token,
                "cert_file": str(folder / "certificate.pem"),
                "key_file": str(folder / "key.pem"),
                "whip_flags": "dtls_active",  # as browsers do; else FFmpeg insists on being the DTLS server
                "handshake_timeout": "5000",  # ms
            }
            signal.alarm(CONNECTING)
            with contextlib.closing(av.open(self._url, "w", format="whip", options=options)) as container:
                video = container.add_stream(
                    "libx264",
                    rate=picture.rate,
                    options={"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "threads": "1"},
                )
                video.width, video.height, video.pix_fmt = picture.width, picture.height, "yuv420p"
                video.bit_rate = picture.bit_rate
                # FFmpeg hears no request for a key frame, and a class that joins shall see the lesson within a second.
                video.codec_context.gop_size = picture.rate // 2
                audio = container.add_stream("libopus", rate=48_000, layout="stereo")  # never fed: packets are ready
                container.start_encoding()  # offers, waits for the answer, does ICE and DTLS
                sys.stdout.write(PUBLISHING + "\n")
                sys.stdout.flush()
                self._stream(container, video, audio)
                signal.alarm(CONNECTING)
        signal.alarm(0)

    def _stream(self, container: av.container.OutputContainer, video: av.VideoStream, audio: av.AudioStream) -> None:
        """Frames and packets, each when its time has come."""
        picture = self._picture
        sound = voice.packets()
        frame = av.VideoFrame(picture.width, picture.height, "yuv420p")
        first, second, third = frame.planes
        board = Blackboard(picture.width, picture.height, (first.line_size, second.line_size, third.line_size))
        start = time.monotonic()
        frames = sounds = 0  # how many have been sent, or left out
        while not self._ended and os.getppid() == self._parent:
            elapsed = time.monotonic() - start
            if elapsed >= self._seconds:
                break
            if elapsed - sounds * voice.PACKET > LATE:  # the machine was asleep or busy: both go on from now
                sounds, frames = int(elapsed / voice.PACKET), max(frames, int(elapsed * picture.rate))
            if elapsed >= sounds * voice.PACKET:
                packet = av.Packet(sound[sounds % len(sound)])
                packet.stream, packet.time_base = audio, Fraction(1, 48_000)
                packet.pts = packet.dts = sounds * 960
                packet.duration = 960
                signal.alarm(STUCK)
                container.mux(packet)
                sounds += 1
            elif elapsed >= frames / picture.rate:
                drawn = board.draw(elapsed, datetime.now())  # local time: it is a classroom clock
                for plane, data in zip(frame.planes, drawn.planes, strict=True):
                    plane.update(bytes(data))
                frame.pts, frame.time_base = frames, Fraction(1, picture.rate)
                signal.alarm(STUCK)
                container.mux(video.encode(frame))
                frames += 1
            else:
                time.sleep(max(0.0, min(sounds * voice.PACKET, frames / picture.rate) - elapsed))


def write_certificate(folder: Path) -> None:
    """certificate.pem and key.pem for DTLS. FFmpeg would make an RSA pair of its own, many times larger and slower."""
    made = Certificate.generate()
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "certificate.pem").write_bytes(made.x509.public_bytes(pem))
    (folder / "key.pem").write_bytes(made.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 ended as told, 1 lost or never connected."""
    given = command_line("server.demo.broadcast", "Publish over one connection.").parse_args(arguments)
    broadcast = Broadcast(given.url, given.token_file.read_text("utf-8").strip(), given.seconds or float("inf"))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: broadcast.end())
    try:
        broadcast.run()
    except av.FFmpegError as error:
        sys.stderr.write(f"not connected: {type(error).__name__}\n")
        return EXIT_LOST
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main())
