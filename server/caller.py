"""Who asks over HTTP, and what they may do with a lesson.

An account comes by its session cookie, everybody else by a token in `Authorization: Bearer`. The rights below are pure;
what a role may do inside a room is signaling's business.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from server.accounts.store import Account, Accounts
from server.lessons.grants import Claims, Grants, TokenError
from server.lessons.model import Lesson
from signaling.problems import ProblemError

ACCOUNTS = web.AppKey("accounts", Accounts)
GRANTS = web.AppKey("grants", Grants)

# May make lessons of their own. Researchers study lessons and join live ones as observers.
LESSON_MAKERS = frozenset({"teacher", "school_admin", "region_admin", "admin"})
# What an account may ask for itself in a lesson: the one who runs it, anyone else.
OWN_ROLES = frozenset({"lead_teacher", "co_teacher", "observer"})
OTHER_ROLES = frozenset({"observer"})


@dataclass(frozen=True, slots=True)
class Caller:
    """At most one of both; neither for a stranger."""

    account: Account | None = None
    grant: Claims | None = None

    @property
    def administers(self) -> bool:
        return self.account is not None and self.account.role == "admin"

    def may_make_lessons(self) -> bool:
        return self.account is not None and self.account.role in LESSON_MAKERS

    def keeps(self, school_id: str | None) -> bool:
        """Whether this is an administrator of that school: of the school itself, its region, or everything."""
        return self.account is not None and self.account.keeps(school_id)

    def owns(self, lesson: Lesson) -> bool:
        """Whether they made the lesson, with their account."""
        return self.account is not None and self.account.user_id is not None and self.account.user_id == lesson.owner_id

    def may_run(self, lesson: Lesson) -> bool:
        """End it, see its class code, plan it anew, delete it."""
        if self.account is not None:
            return self.owns(lesson) or self.keeps(lesson.school_id)
        return self.grant is not None and self.grant.lesson_id == lesson.id and self.grant.role == "lead_teacher"

    def may_lead(self, lesson: Lesson) -> bool:
        """Teach it, and ask others to help. Who keeps its school only looks on: it is somebody's lesson."""
        if self.account is not None:
            return self.administers or self.owns(lesson)
        return self.may_run(lesson)

    def roles_in(self, lesson: Lesson) -> frozenset[str]:
        """The roles this account may take in the lesson."""
        if self.account is None:
            return frozenset()
        return OWN_ROLES if self.may_lead(lesson) else OTHER_ROLES


async def identify(request: web.Request) -> Caller:
    """Who asks. Raises ProblemError for a token that is not to be believed; a stale cookie is a stranger's."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        try:
            claims = request.app[GRANTS].read(token.strip())
        except TokenError as error:
            raise ProblemError(
                401, error.code, "The token is not accepted", headers={"WWW-Authenticate": "Bearer"}
            ) from error
        if claims.role == "remote_control":
            raise forbidden("a remote control only presses buttons in its room")
        if (
            claims.role == "admin"
        ):  # given out by whoever holds the machine: an administrator, not a guest of one lesson
            return Caller(account=Account(None, claims.name or "admin", "admin"))
        return Caller(grant=claims)
    if cookie := request.cookies.get(session_cookie(request)):
        return Caller(account=await request.app[ACCOUNTS].by_session(cookie))
    return Caller()


async def require(request: web.Request) -> Caller:
    """Who asks; raises ProblemError for a stranger."""
    caller = await identify(request)
    if caller.account is None and caller.grant is None:
        raise ProblemError(401, "login_required", "Log in or send a token", headers={"WWW-Authenticate": "Bearer"})
    return caller


def forbidden(detail: str = "") -> ProblemError:
    return ProblemError(403, "not_allowed", "This is not allowed for your role", detail)


def session_cookie(request: web.Request) -> str:
    """The cookie's name: over TLS one that no plain connection can set or read (`__Host-`)."""
    return "__Host-tongke_session" if request.secure else "tongke_session"
