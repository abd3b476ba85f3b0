"""What the patient reports, stored once: answers, exercise sessions, runs.

    recorded = diary.record_answer(patient=patient, client_id=uuid, report=AnswerReport(...), now=now)

The client makes the UUID, so that a retry is harmless: the same report again returns the stored row, another
report under the same UUID is refused and the stored row stands. One patient's reports are written one after
the other, behind a lock on the patient.
"""

from programs.services.diary.placing import DiaryConflict, DiaryError, DiaryNotFound
from programs.services.diary.reports import AnswerReport, ExerciseDone, RunReport, SessionReport
from programs.services.diary.writing import (
    Recorded,
    add_next_morning,
    advice_on_refusal,
    record_answer,
    record_run,
    record_session,
)

__all__ = [
    "AnswerReport",
    "DiaryConflict",
    "DiaryError",
    "DiaryNotFound",
    "ExerciseDone",
    "Recorded",
    "RunReport",
    "SessionReport",
    "add_next_morning",
    "advice_on_refusal",
    "record_answer",
    "record_run",
    "record_session",
]
