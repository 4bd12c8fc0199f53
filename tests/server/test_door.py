import json
import logging
from pathlib import Path

import pytest
from aiohttp.http_exceptions import BadStatusLine

from server import health
from server.door import QuietAboutBadRequests
from server.log import JsonFormatter
from tests.server.application import problem, running, token


async def test_an_unknown_address_is_a_problem(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        assert await problem(await client.get("/nothing/here")) == (404, "not_found")
        assert await problem(await client.get("/api/nothing")) == (404, "not_found")


async def test_a_method_that_is_not_there_is_a_problem_and_says_which_are(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        response = await client.put("/api/lessons", json={})
        assert await problem(response) == (405, "method_not_allowed")
        assert set(response.headers["Allow"].split(",")) == {"GET", "HEAD", "POST"}


async def test_an_oversized_body_is_a_problem(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        response = await client.post(
            "/api/lessons",
            data=b"x" * 70_000,
            headers={**token(client, "", "admin"), "Content-Type": "application/json"},
        )
        assert await problem(response) == (413, "body_too_large")


async def test_a_body_that_is_no_json_is_a_problem(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        admin = token(client, "", "admin")
        response = await client.post("/api/lessons", data=b"title=x", headers=admin)
        assert await problem(response) == (415, "unsupported_media_type")
        headers = {**admin, "Content-Type": "application/json"}
        for body in (b"{", b"\xff\xfe", b"[" * 10_000):
            response = await client.post("/api/lessons", data=body, headers=headers)
            assert await problem(response) == (400, "body_malformed")
        response = await client.post("/api/lessons", data=b"[]", headers=headers)
        assert await problem(response) == (422, "field_invalid")


async def test_a_bug_is_a_problem_for_the_caller_and_a_traceback_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.lessons.store import Lessons

    async def broken(*arguments: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Lessons, "get", broken)
    async with running(tmp_path) as client:
        response = await client.get("/api/lessons/x", headers=token(client, "", "admin"))
        assert await problem(response) == (500, "internal_error")
        assert "bug" not in await response.text()
    assert any(record.exc_info for record in caplog.records)


async def test_a_database_that_is_gone_is_a_problem_of_its_own(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        admin = token(client, "", "admin")
        await client.app[health.ENGINE].dispose()
        (tmp_path / "tongke.db").unlink()
        (tmp_path / "tongke.db").mkdir()
        assert await problem(await client.get("/api/lessons/x", headers=admin)) == (503, "database_unavailable")


async def test_bad_requests_are_logged_no_higher_than_info(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(tmp_path) as client:
        await client.get("/nothing")
        await client.post("/api/class/enter", json={"code": "1"})
        await client.get("/api/lessons", headers={"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.xx"})
        await client.post("/api/session", data=b"\x00")
    assert {record.levelno for record in caplog.records if record.name.startswith("tongke")} <= {
        logging.DEBUG,
        logging.INFO,
    }


async def test_pages_run_no_script_but_our_own(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        for path in (
            "/",
            "/login",
            "/lessons",
            "/class",
            "/teach/x",
            "/live/x",
            "/replay/x",
            "/admin/a/b",
            "/research",
        ):
            response = await client.get(path)
            if response.status == 503:
                assert await problem(response) == (503, "pages_not_built")
                continue
            policy = response.headers["Content-Security-Policy"]
            assert "script-src 'self';" in policy
            assert "object-src 'none'" in policy
            assert response.content_type == "text/html"


async def test_no_file_beside_the_pages_is_given_out(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        for path in ("/assets/..%2f..%2fpackage.json", "/assets/../index.html", "/package.json"):
            assert (await client.get(path)).status == 404


async def test_a_host_header_cannot_write_into_the_policy(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        response = await client.get("/", headers={"Host": "x; script-src *"})
        assert "script-src *" not in response.headers.get("Content-Security-Policy", "")


async def test_metrics_count_by_route_and_never_by_path(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await client.get("/api/lessons/one", headers=token(client, "", "admin"))
        await client.get("/nothing/there")
        text = await (await client.get("/metrics")).text()
        assert 'tongke_http_requests_total{method="GET",route="/api/lessons/{lesson_id}",status="404"} 1.0' in text
        assert 'route="unknown",status="404"' in text
        assert "nothing" not in text


async def test_the_server_lives_but_is_not_ready_without_worker_and_recorder(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        assert (await client.get("/healthz")).status == 200
        response = await client.get("/readyz")
        assert await problem(response) == (503, "not_ready")
        assert "media worker, recorder" in (await response.json())["detail"]


async def test_the_log_names_routes_and_not_paths(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with running(tmp_path) as client:
        await client.delete("/whip/l1/a-session-that-is-as-good-as-a-token")
    lines = [str(vars(record)) for record in caplog.records if record.name.startswith("tongke")]
    assert any("DELETE /whip/{lesson_id}/{session}" in line for line in lines)
    assert not any("as-good-as-a-token" in line for line in lines)


def test_bytes_that_are_no_http_are_no_bug_of_ours() -> None:
    record = logging.makeLogRecord({"levelno": logging.ERROR, "levelname": "ERROR"})
    error = BadStatusLine("\x00")
    record.exc_info = (type(error), error, None)
    assert QuietAboutBadRequests().filter(record)
    assert record.levelname == "INFO"
    assert not record.exc_info


def test_a_token_in_a_log_line_is_cut_out() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJsZXNzb24iOiJsMSJ9.c2lnbmF0dXJl"
    record = logging.makeLogRecord(
        {"msg": "got %s", "args": (token,), "levelname": "INFO", "header": f"Bearer {token}"}
    )
    entry = json.loads(JsonFormatter("server").format(record))
    assert entry["message"] == "got …"
    assert entry["header"] == "Bearer …"
