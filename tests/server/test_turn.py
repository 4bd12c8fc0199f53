"""A whole node with a TURN server: what its participants are told, and that the secret stays where it is."""

import asyncio
import base64
import hmac
import re
import sys
import time
from pathlib import Path

import aiohttp
import psutil

from tests.bench import offers
from tests.bench.peer import Peer
from tests.support.server import Tongke

SECRET = "north wind and sun"
URIS = ("turn:turn.example:3478?transport=udp", "turns:turn.example:443", "stun:turn.example")


def is_good(username: str, credential: str) -> bool:
    """As coturn sees it, and for the rest of a school day."""
    wanted = base64.b64encode(hmac.digest(SECRET.encode(), username.encode(), "sha1")).decode()
    return credential == wanted and 11.9 * 3600 < int(username.partition(":")[0]) - time.time() <= 12 * 3600


async def test_whoever_takes_part_gets_credentials_of_their_own_and_nobody_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "turn.secret"
    file.write_text(SECRET + "\n")
    async with Tongke(tmp_path / "data", "--turn-server", *URIS, "--turn-secret-file", str(file)) as tongke:
        lesson = await tongke.create_lesson()
        teacher = await tongke.token(lesson.lesson_id, "lead_teacher")
        observer = await tongke.token(lesson.lesson_id, "observer")
        async with aiohttp.ClientSession() as http:
            async with http.ws_connect(f"{tongke.http}/ws/{lesson.lesson_id}") as socket:
                await socket.send_json({"type": "hello", "token": teacher})
                welcome = await socket.receive_json(timeout=10)
            async with http.post(
                f"{tongke.http}/whep/{lesson.lesson_id}",
                data=offers.watching(Peer().credentials, audio=1, video=0),
                headers={"Content-Type": "application/sdp", "Authorization": f"Bearer {observer}"},
            ) as response:
                links = response.headers.getall("Link")

        stun, turn = welcome["ice_servers"]
        assert stun == {"urls": [URIS[2]]}
        assert turn["urls"] == list(URIS[:2])
        assert turn["username"].endswith(":" + welcome["participant_id"])
        assert is_good(turn["username"], turn["credential"])

        assert links[0] == f'<{URIS[2]}>; rel="ice-server"'
        assert [link.partition(">")[0] for link in links[1:]] == [f"<{uri}" for uri in URIS[:2]]
        told = re.search(r'username="([^"]+)"; credential="([^"]+)"', links[1])
        assert told is not None
        assert is_good(*told.groups())
        assert told[1] != turn["username"]

        for process in psutil.Process().children(recursive=True):
            assert SECRET not in " ".join(process.cmdline())
            assert SECRET not in " ".join(process.environ().values())
    assert SECRET not in tongke.log
    assert turn["credential"] not in tongke.log


async def test_without_its_secret_a_node_says_so_in_one_sentence(tmp_path: Path) -> None:
    flags = ("--http", "127.0.0.1:0", "--no-https", "--media-port", "0", "--data", str(tmp_path / "data"))
    turn = ("--turn-server", URIS[0], "--turn-secret-file", str(tmp_path / "nowhere"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "serve", *flags, *turn, stdout=-1, stderr=-1
    )
    said, complained = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert said == b""
    assert [line for line in complained.decode().splitlines() if not line.startswith("{")] == [
        f"The file {tmp_path / 'nowhere'} with the TURN secret cannot be read: No such file or directory."
    ]
