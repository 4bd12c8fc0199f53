"""What lessons can be. Apart from the model: the command line must know it without loading the database."""

from typing import Literal

LessonStatus = Literal["scheduled", "live", "ended"]
RecordingWord = Literal["none", "recording", "ready", "damaged"]
LessonKind = Literal[
    "delivered_class",
    "master_class",
    "school_online_course",
    "synchronous_lesson",
    "dual_teacher_lesson",
    "demo_lesson",
    "open_lesson",
    "viewing_lesson",
    "study_lesson",
    "research_activity",
    "lecture",
    "training",
]
