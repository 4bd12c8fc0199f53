"""What `tongke demo` prints when it is ready, in Chinese and English."""

from __future__ import annotations

from server.accounts.roles import AccountRole
from server.demo.state import State

# Name, role and what the account is shown as; Chinese letters are two columns wide.
ACCOUNTS: tuple[tuple[str, AccountRole, str], ...] = (
    ("主讲教师甲", "teacher", "教师      teacher            "),
    ("教研员甲", "researcher", "教研员    researcher         "),
    ("管理员", "admin", "管理员    administrator      "),
)


def text(state: State, http: str, elsewhere: str | None, recorded: bool) -> str:
    """The whole welcome. `http` and `elsewhere` are how this machine and others reach the server."""
    assert state.code is not None
    code = f"{state.code[:3]} {state.code[3:]}"
    lines = [
        "",
        "同课正在运行，按 Ctrl-C 结束。",
        "Tongke is running; Ctrl-C ends it.",
        "",
        f"  本机打开  on this machine      {http}/",
    ]
    if elsewhere:
        lines += [
            f"  其他设备  on other devices     {elsewhere}/",
            "            （自签名证书，首次打开时请选择继续） self-signed certificate: accept it once",
        ]
    lines += [
        "",
        f"  班级      class                {http}/class#{state.code}",
        f"            课堂码 class code     {code}",
        *(f"  {shown}  {http}/login   {name} / {state.passwords[name]}" for name, _, shown in ACCOUNTS),
        "",
        "  一节模拟课正在直播。教师登录后可新建自己的课；教研员登录后可听课、看回放。",
        "  A synthetic lesson is live. Log in as the teacher to make a lesson of your own, as the researcher to",
        "  observe and to replay.",
    ]
    if not recorded:
        lines += [
            "  示例录像正在录制，约两分钟后可以回放。",
            "  The sample recording is being made; it can be replayed in about two minutes.",
        ]
    return "\n".join([*lines, "", ""])
