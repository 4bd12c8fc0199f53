"""media/accelerator.py: the same bytes as without it, and never a library that is not of this source."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from media import accelerator, rtp, srtp
from media.accelerator import Hot, UnavailableError, load
from media.fanout import Prepared, Profile, Row, Rows, forward, prepare
from media.pictures import Numbers, Shift, numbers
from media.sendmmsg import CAPACITY, Mmsg, Name
from media.srtp import RTP_OVERHEAD, Outbound
from tests.support.flow import Collected

ROOT = Path(__file__).parents[2]
NAME = Name(("192.0.2.7", 4000))


@pytest.fixture
def hot() -> Hot:
    if accelerator.hot is None:
        pytest.skip(f"the accelerator is {accelerator.state}")
    return accelerator.hot


def described(data: bytes, index: int, timestamp: int, found: Numbers | None = None) -> rtp.Packet:
    head = rtp.HEADER.pack(0x80, 96, index & 0xFFFF, timestamp, 0xAAAA)
    packet = rtp.Packet(head + data, rtp.HEADER.size, rtp.HEADER.size + len(data), {4: b"\1\2\3\4"})
    packet.index, packet.numbers, packet.send_time = index, found, b"\1\2\3"
    return packet


def anything(chance: random.Random) -> Prepared:
    """A packet with or without picture numbers of any kind."""
    index, timestamp = 0x10000 + chance.randrange(0x10000), chance.randrange(1 << 32)
    kind = chance.choice(["plain", "VP8", "VP8 long", "VP9", "AV1"])
    profile = Profile(96, 3, ((4, 1),))
    payload = chance.randbytes(chance.randrange(1, 1200))
    if kind == "AV1":
        found = Numbers(1, chance.randrange(1 << 16), False, 0, 0, True)
        return prepare(described(payload, index, timestamp, found), profile._replace(descriptor=(4, 2)))
    if kind == "plain":
        return prepare(described(payload, index, timestamp), profile)
    head = {"VP8": "90 e0 05 07 20", "VP8 long": "90 e0 fff0 ff 20", "VP9": "a8 8123 20 fe"}[kind]
    payload = bytes.fromhex(head) + payload
    return prepare(described(payload, index, timestamp, numbers(kind[:3], payload)), profile)


def rows(keys: list[bytes], profile: srtp.Profile, chance: random.Random) -> tuple[Rows, list[Outbound]]:
    sessions = [Outbound(profile, key) for key in keys]
    made = [
        Row(
            session.handle,
            chance.randrange(-(1 << 40), 1 << 40),
            chance.randrange(-(1 << 33), 1 << 33),
            chance.randrange(1 << 32),
            Name(("192.0.2.1", 1000 + n)),
            Shift(chance.randrange(-(1 << 16), 1 << 16), chance.randrange(-300, 300)) if n % 3 else None,
        )
        for n, session in enumerate(sessions)
    ]
    return Rows(made), sessions


@pytest.mark.parametrize("profile", ["AEAD_AES_128_GCM", "AES128_CM_SHA1_80"])
@pytest.mark.parametrize("seed", range(20))
def test_the_same_bytes_leave_with_it_and_without(
    hot: Hot, profile: srtp.Profile, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [os.urandom(30 if profile == "AES128_CM_SHA1_80" else 28) for _ in range(40)]
    packets = [anything(random.Random(seed * 100 + n)) for n in range(seed + 1)]
    sent = []
    for used in (None, hot):
        monkeypatch.setattr(accelerator, "hot", used)
        batch = Flushing()
        made, sessions = rows(keys, profile, random.Random(seed))
        assert len(sessions) == len(made)
        refused = forward(packets, made, RTP_OVERHEAD[profile], batch)
        batch.flush()
        sent.append((refused, batch.take()))
    assert sent[0] == sent[1]


class Flushing(Collected):
    """The batch is smaller than what is sent, so it is flushed on the way; nothing may be beyond its end."""

    def put(self, name: Name, start: int, size: int, segment: int) -> None:
        assert start + size <= CAPACITY
        super().put(name, start, size, segment)


def test_what_srtp_refuses_leaves_no_plain_text(either_way: str) -> None:
    session = Outbound("AEAD_AES_128_GCM", os.urandom(28))
    fixed = Rows([Row(session.handle, 0, 0, 1, NAME, None)])
    batch = Collected()
    new, old = (prepare(described(b"secret", 0x10000 + n, 0), Profile(96, 0, ())) for n in (5000, 1))
    assert forward([new, old], fixed, 16, batch) == 1
    sent = [data for _, data in batch.take()]
    assert len(sent) == 2
    assert sent[0][12:18] != b"secret"
    assert sent[1] == bytes(len(sent[0]))


def test_picture_numbers_that_would_be_beyond_the_packet_are_not_written(either_way: str) -> None:
    session = Outbound("AEAD_AES_128_GCM", os.urandom(28))
    fixed = Rows([Row(session.handle, 0, 0, 1, NAME, Shift(1, 1))])
    batch = Collected()
    emptied = described(b"", 0x10007, 0, Numbers(2, 5, True, 4, 9))
    assert forward([prepare(emptied, Profile(96, 0, ()))], fixed, 16, batch) == 0
    assert [len(data) for _, data in batch.take()] == [12 + 16]
    assert not any(batch.memory[28:40])


def test_a_library_of_another_source_is_not_used(hot: Hot, tmp_path: Path) -> None:
    folder = ROOT / "media"
    for name in ("hot.c", "hot.so"):
        shutil.copy(folder / name, tmp_path / name)
    assert Hot(tmp_path / "hot.so", tmp_path / "hot.c", 1)
    (tmp_path / "hot.c").write_bytes((folder / "hot.c").read_bytes() + b"\n")
    with pytest.raises(UnavailableError, match="another source"):
        Hot(tmp_path / "hot.so", tmp_path / "hot.c", 1)
    with pytest.raises(UnavailableError, match="not built"):
        Hot(tmp_path / "none.so", tmp_path / "hot.c", 1)
    (tmp_path / "junk.so").write_bytes(b"junk")
    with pytest.raises(UnavailableError, match="not built"):
        Hot(tmp_path / "junk.so", tmp_path / "hot.c", 1)


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGKE_ACCELERATOR", "off")
    with pytest.raises(UnavailableError, match="switched off"):
        load()


def test_it_is_not_used_with_a_libsrtp_we_do_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(srtp, "protect_address", lambda: None)
    with pytest.raises(UnavailableError, match="pylibsrtp"):
        load()


@pytest.mark.parametrize("compiler", ["/nowhere/cc", "false"])
def test_without_a_compiler_nothing_is_made_and_nothing_is_said(compiler: str, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    shutil.copy(ROOT / "media" / "hot.c", tmp_path / "media")
    (tmp_path / "media" / "hot.so").write_bytes(b"of before")
    done = subprocess.run(
        [sys.executable, "hatch_build.py"], cwd=tmp_path, env={**os.environ, "CC": compiler}, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [path.name for path in (tmp_path / "media").iterdir()] == ["hot.c"]


def test_a_name_lives_until_what_was_put_for_it_has_left(either_way: str) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
    ):
        there.bind(("127.0.0.1", 0))
        there.settimeout(5)
        batch = Mmsg(here)
        session = Outbound("AEAD_AES_128_GCM", os.urandom(28))
        packets = [
            prepare(described(bytes([n]) * size, 0x10000 + n, 0), Profile(96, 0, ()))
            for n, size in enumerate((90, 90, 40, 200))
        ]
        forward(packets, Rows([Row(session.handle, 0, 0, 1, Name(there.getsockname()), None)]), 16, batch)
        batch.flush()
        assert [len(there.recv(2048)) for _ in packets] == [118, 118, 68, 228]
        assert (batch.sent, batch.failed, batch.dropped) == (4, 0, 0)
