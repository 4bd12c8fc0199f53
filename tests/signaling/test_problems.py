import json

from signaling.problems import ProblemError, problem_response


def test_a_problem_is_json_with_its_code_and_headers() -> None:
    response = problem_response(ProblemError(410, "lesson_ended", "Over", "since 9", {"Retry-After": "1"}), {"X": "y"})
    assert (response.status, response.content_type) == (410, "application/problem+json")
    assert json.loads(response.text or "") == {
        "type": "about:blank",
        "title": "Over",
        "status": 410,
        "code": "lesson_ended",
        "detail": "since 9",
    }
    assert (response.headers["Retry-After"], response.headers["X"]) == ("1", "y")
    assert response.headers["Cache-Control"] == "no-store"
