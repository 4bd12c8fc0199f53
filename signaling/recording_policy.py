"""Who is recorded of those who publish in a lesson (PROTOCOL.md section 4). Apart: the command line names it."""

from typing import Literal

RecordingPolicy = Literal["nothing", "teacher_only", "consented", "all"]
