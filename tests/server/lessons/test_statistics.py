"""The administrator's view of a room's media. What the workers measure is tested in tests/media/test_statistics.py."""

from pathlib import Path

from media.messages import LayerStatistics, PublicationStatistics, SlotStatistics, TransportStatistics
from server.accounts.roles import AccountRole
from server.lessons.statistics import SURVEYS
from signaling.statistics import RoomStatistics
from tests.server.application import Client, add_user, log_in, problem, running, token

LAYER = LayerStatistics("h", "H264", 720, 1.48e6, 0.01, 3.1, 2, 4)
SLOT = SlotStatistics("3", "s-1-1", "m", 360, False, 5e5, 0.02, 7.5, 41, 39, 1)
TRANSPORTS = (
    TransportStatistics(
        "s-1", "send", True, "udp", 30.0, None, 1.48e6, (PublicationStatistics("s-1-1", (LAYER,)),), ()
    ),
    TransportStatistics("r-1", "receive", True, "tcp", None, 1.9e6, 5e5, (), (SLOT,)),
)


async def lesson(client: Client) -> str:
    response = await client.post("/api/lessons", json={"title": "草原"}, headers=token(client, "", "admin"))
    return str((await response.json())["lesson_id"])


async def test_administrators_see_every_transport_of_a_room(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id, admin = await lesson(client), token(client, "", "admin")
        path = f"/api/rooms/{lesson_id}/stats"
        assert await (await client.get(path, headers=admin)).json() == {
            "room": "none",
            "at_ms": None,
            "participants": [],
        }
        mine = token(client, lesson_id, "receiving_class", name="阜平一小", participant_id="c-7")
        async with client.ws_connect(f"/ws/{lesson_id}") as socket:
            await socket.send_json({"type": "hello", "token": mine["Authorization"].removeprefix("Bearer ")})
            assert (await socket.receive_json())["type"] == "welcome"
            client.app[SURVEYS]._latest[lesson_id] = RoomStatistics(755000, {"c-7": TRANSPORTS, "gone": TRANSPORTS})
            body = await (await client.get(path, headers=admin)).json()
            assert (body["room"], body["at_ms"]) == ("open", 755000)
            [participant] = body["participants"]
            assert (participant["participant_id"], participant["role"]) == ("c-7", "receiving_class")
            sending, receiving = participant["transports"]
            assert sending["publications"][0]["layers"][0]["height"] == 720
            assert receiving["slots"][0] == {
                "mid": "3", "publication_id": "s-1-1", "rid": "m", "height": 360, "paused": False, "bitrate": 5e5,
                "loss": 0.02, "jitter_ms": 7.5, "nacked": 41, "repeated": 39, "pictures_lost": 1,
            }  # fmt: skip
            await client.app[SURVEYS].survey()
            assert (await (await client.get(path, headers=admin)).json())["participants"] == []


async def test_nobody_else_sees_them(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await lesson(client)
        path = f"/api/rooms/{lesson_id}/stats"
        assert await problem(await client.get(path)) == (401, "login_required")
        for role in ("lead_teacher", "observer", "researcher"):
            refused = await client.get(path, headers=token(client, lesson_id, role))
            assert await problem(refused) == (403, "not_allowed")
        accounts: tuple[AccountRole, ...] = ("teacher", "school_admin", "region_admin")
        for account in accounts:
            await add_user(client, account, account)
            await log_in(client, account)
            assert await problem(await client.get(path)) == (403, "not_allowed")
        await add_user(client, "root", "admin")
        await log_in(client, "root")
        assert (await client.get(path)).status == 200
        assert await problem(await client.get("/api/rooms/none/stats")) == (404, "lesson_unknown")


async def test_the_description_of_the_api_says_what_is_measured(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        document = await (await client.get("/api/openapi.json")).json()
        operation = document["paths"]["/api/rooms/{lesson_id}/stats"]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/RoomStatisticsView"}
        assert {"SlotStatistics", "LayerStatistics", "TransportView"} <= document["components"]["schemas"].keys()
