"""The description of the API (OpenAPI 3.1), made from the endpoints and their models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from server.endpoint import Endpoint, Model


class Problem(Model):
    """An error (RFC 9457). `code` is stable, `title` the same for each code, `detail` about this occurrence."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str | None = None


_PROBLEM = {
    "description": "A problem",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_FILE = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
}
_LESSON_ID = {"name": "lesson_id", "in": "path", "required": True, "schema": {"type": "string"}}
_SESSION = {"name": "session", "in": "path", "required": True, "schema": {"type": "string"}}


def describe(endpoints: Iterable[Endpoint], version: str) -> dict[str, Any]:
    """The whole document."""
    endpoints = list(endpoints)
    models = {model for one in endpoints for model in (one.body, one.reply) if model is not None} | {Problem}
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(_template(one.path), {})[one.method.lower()] = _operation(one)
    paths.update(_doors())
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tongke", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": "tongke_session"},
            },
        },
        "security": [{"token": []}, {"session": []}],
    }


def _operation(one: Endpoint) -> dict[str, Any]:
    names = re.findall(r"{(\w+)", one.path)
    done: dict[str, Any] = {"description": one.summary}
    if one.reply is not None:
        done["content"] = {"application/json": {"schema": _ref(one.reply)}}
    operation: dict[str, Any] = {
        "summary": one.summary,
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
        "responses": {str(one.status): done, "default": _PROBLEM},
    }
    if one.codes:
        operation["responses"]["default"] = {**_PROBLEM, "description": "A problem: " + ", ".join(one.codes)}
    if one.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(one.body)}}}
    if one.form:
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _FILE}}}
    if one.open:
        operation["security"] = []
    return operation


def _doors() -> dict[str, Any]:
    """Signaling's doors, which take no JSON; signaling/PROTOCOL.md says the rest."""
    paths: dict[str, Any] = {}
    for door, what in (("whip", "Publish (RFC 9725)"), ("whep", "Watch")):
        sdp = {"application/sdp": {"schema": {"type": "string"}}}
        fragment = {"application/trickle-ice-sdpfrag": {"schema": {"type": "string"}}}
        paths[f"/{door}/{{lesson_id}}"] = {
            "post": {
                "summary": what,
                "parameters": [_LESSON_ID],
                "requestBody": {"required": True, "content": sdp},
                "responses": {"201": {"description": "The answer", "content": sdp}, "default": _PROBLEM},
                "security": [{"token": []}],
            }
        }
        paths[f"/{door}/{{lesson_id}}/{{session}}"] = {
            "parameters": [_LESSON_ID, _SESSION],
            "patch": {
                "summary": "Trickle candidates or restart ICE",
                "requestBody": {"required": True, "content": fragment},
                "responses": {
                    "200": {"description": "ICE restarted", "content": fragment},
                    "204": {"description": "Candidates taken"},
                    "default": _PROBLEM,
                },
                "security": [{"token": []}],
            },
            "delete": {
                "summary": "End it",
                "responses": {"200": {"description": "Ended"}, "default": _PROBLEM},
                "security": [{"token": []}],
            },
        }
    paths["/ws/{lesson_id}"] = {
        "get": {
            "summary": "The room protocol (signaling/PROTOCOL.md); the first message carries the token",
            "parameters": [_LESSON_ID],
            "responses": {"101": {"description": "Switching to WebSocket"}},
            "security": [],
        }
    }
    return paths


def _ref(model: type[Model]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _template(path: str) -> str:
    return re.sub(r"{(\w+):[^}]*}", r"{\1}", path)
