"""Errors of the HTTP doors as problem JSON (RFC 9457) with a stable `code`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aiohttp import web


class ProblemError(Exception):
    """Raised anywhere below an HTTP handler; becomes `problem_response` at the edge."""

    def __init__(
        self, status: int, code: str, title: str, detail: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {detail or title}")
        self.status = status
        self.code = code
        self.title = title  # the same for every occurrence of the code
        self.detail = detail  # about this occurrence; never a token or a body
        self.headers = dict(headers or {})


def problem_response(error: ProblemError, headers: Mapping[str, str] | None = None) -> web.Response:
    """The response for a problem; `headers` (CORS, say) are added to the problem's own."""
    body = {"type": "about:blank", "title": error.title, "status": error.status, "code": error.code}
    if error.detail:
        body["detail"] = error.detail
    return web.Response(
        status=error.status,
        text=json.dumps(body, ensure_ascii=False),
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **error.headers, **(headers or {})},
    )
