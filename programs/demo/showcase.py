"""The patients who are there to show a state, a reason or an alert: docs/demo-clinic.md says which is which.

Each lies well inside what it shows, so that neither the noise nor the weekday of the last day matters.
"""

from __future__ import annotations

from patients.vocabulary import Diagnosis, MuscleGroup, PainLocation, RunningTrack
from programs.demo.courses import (
    EVER,
    Acknowledged,
    Bounced,
    Cleared,
    Contacted,
    Course,
    Discharged,
    Moved,
    Paused,
    Replaced,
    Resolved,
    Returned,
    Snoozed,
    Symptoms,
)

STALLED = (
    Course(
        shows="12 weeks without success: re-assess",
        start=86,
        pain=((86, "5.6"), (0, "5.2")),
        noise="0.3",
        effort="amber",
        akps=((86, 68), (44, 70), (30, 71)),
        acts=(Acknowledged(20, "stall", "Discussed with the patient, one more block agreed."),),
    ),
    Course(
        shows="a fair trial that changed nothing",
        start=66,
        pain=((66, "5.8"), (0, "5.5")),
        noise="0.3",
        effort="amber",
        akps=((66, 66), (24, 67)),
    ),
    Course(
        shows="slow, but moving: continue",
        start=66,
        pain=((66, "6.6"), (0, "5.0")),
        noise="0.2",
        effort="amber",
        akps=((66, 64), (24, 67)),
        acts=(Acknowledged(6, "stall", "Improving slowly. Re-measure in two weeks."),),
    ),
    Course(
        shows="worse than at the start",
        start=59,
        pain=((59, "4.0"), (40, "4.4"), (12, "6.8"), (0, "7.0")),
        noise="0.3",
        effort="amber",
    ),
    Course(
        shows="two red sessions in two weeks",
        start=59,
        pain=((59, "5.0"), (0, "5.1")),
        noise="0.4",
        effort="amber",
        reds=((9, 0),),
    ),
    Course(
        shows="exercises hardly done",
        start=66,
        pain=((66, "5.5"), (0, "5.2")),
        noise="0.4",
        sessions=1,
        acts=(
            Contacted(12, "call", "Works nights this month, finds no time. Shorter program sent."),
            Snoozed(11, "stall", -10, "Shorter program until the shifts change."),
        ),
    ),
    Course(
        shows="no session ever logged; a snooze that is over",
        start=66,
        pain=((66, "6.0"), (0, "5.8")),
        noise="0.4",
        sessions=0,
        acts=(Snoozed(16, "stall", 8, "Asked to log the sessions; look again next week."),),
    ),
    Course(
        shows="better, then back: the alert re-opened",
        start=80,
        pain=((80, "6.0"), (40, "6.0"), (37, "2.5"), (21, "2.5"), (19, "6.3"), (0, "6.1")),
        noise="0.3",
        effort="amber",
        track=RunningTrack.STILL_RUNNING,
        runs_km=((80, "9"), (0, "9")),
    ),
    Course(
        shows="pain moved to the inner side",
        start=59,
        pain=((59, "5.4"), (0, "5.2")),
        noise="0.4",
        effort="amber",
        moved_pain=(14, PainLocation.MEDIAL),
    ),
    Course(
        shows="stall dealt with by the physio",
        start=73,
        pain=((73, "5.7"), (0, "5.3")),
        noise="0.3",
        effort="amber",
        acts=(
            Resolved(7, "stall", "Re-assessed hands-on; squat form corrected, step height lowered."),
            Contacted(6, "visit", "Seen together with a colleague."),
        ),
    ),
)

STALLING = (
    Course(
        shows="running distance more than doubled",
        start=45,
        pain=((45, "4.8"), (0, "4.6")),
        noise="0.3",
        effort="amber",
        track=RunningTrack.STILL_RUNNING,
        runs_km=((45, "12"), (8, "12"), (7, "27"), (0, "27")),
    ),
    Course(
        shows="a flare in the last week",
        start=52,
        pain=((52, "5.0"), (7, "5.0"), (6, "7.6"), (0, "7.6")),
        noise="0.2",
        effort="amber",
    ),
    Course(
        shows="ready to progress, not progressed",
        start=45,
        pain=((45, "4.2"), (0, "3.7")),
        noise="0.2",
        akps=((45, 72), (3, 74)),
    ),
    Course(
        shows="a trunk deficit that no exercise treats",
        start=52,
        pain=((52, "5.2"), (0, "4.9")),
        noise="0.3",
        effort="amber",
        weak=((MuscleGroup.TRUNK, 80), (MuscleGroup.HIP_ABDUCTORS, 86)),
    ),
    Course(
        shows="patellar tendinopathy, slow",
        start=52,
        pain=((52, "6.4"), (0, "4.8")),
        noise="0.2",
        effort="amber",
        diagnosis=Diagnosis.PATELLAR_TENDINOPATHY,
        template="patellar-tendinopathy",
        weak=((MuscleGroup.QUADRICEPS, 82),),
    ),
)

EARLY = (
    Course(
        shows="week 4, flat, exercises hardly done",
        start=31,
        pain=((31, "5.3"), (0, "5.2")),
        noise="0.4",
        sessions=1,
    ),
    Course(
        shows="week 5, slow",
        start=38,
        pain=((38, "6.2"), (0, "4.3")),
        noise="0.2",
        effort="amber",
    ),
    Course(
        shows="worsening that was dealt with",
        start=31,
        pain=((31, "4.0"), (22, "4.2"), (20, "7.2"), (10, "7.2"), (8, "4.2"), (0, "4.0")),
        noise="0.2",
        effort="amber",
        acts=(Resolved(6, "worsening", "Two hard hill runs; hills left out, settled within a week."),),
    ),
    Course(
        shows="a new fair trial with another program",
        start=87,
        pain=((87, "5.9"), (0, "5.3")),
        noise="0.3",
        effort="amber",
        acts=(
            Resolved(36, "stall", "Hip weakness found on re-test; hip-led program agreed."),
            Replaced(32, "runners-knee-hip-led", "Half of the first weeks fell into a house move."),
        ),
    ),
    Course(
        shows="15 years old, with a guardian's consent",
        start=24,
        pain=((24, "5.0"), (0, "3.8")),
        age=15,
        progresses=True,
    ),
)

NOT_JUDGED = (
    Course(
        shows="on holiday",
        start=52,
        pain=((52, "6.0"), (22, "3.0"), (0, "3.0")),
        acts=(Paused(5, "holiday", -6, "Two weeks of walking, no band in the luggage."),),
    ),
    Course(
        shows="ill for more than four weeks",
        start=66,
        pain=((66, "5.5"), (0, "4.5")),
        acts=(Paused(34, "illness", None, "Pneumonia; back when the doctor agrees."),),
    ),
    Course(
        shows="red flag, tier 1, nobody has read it",
        start=38,
        pain=((38, "5.5"), (0, "4.2")),
        symptoms=(Symptoms(1, ("calf_pain_swelling",), "Calf tight and warm since this morning."),),
    ),
    Course(
        shows="red flag, tier 2, escalated and read",
        start=59,
        pain=((59, "5.5"), (28, "2.8"), (0, "2.8")),
        symptoms=(Symptoms(9, ("knee_locks",), "Got stuck twice on the stairs."),),
        acts=(
            Acknowledged(6, "red_flag", "Called: will be seen on Thursday.", by="owner"),
            Contacted(6, "call", "Told to rest the knee until seen."),
        ),
    ),
    Course(
        shows="no pain at intake, no answers in the first weeks",
        start=38,
        pain=((38, "5.0"), (0, "4.6")),
        intake_pain=False,
        quiet=((60, 10),),
        acts=(
            Contacted(14, "call", "Prompts went to spam. Will answer from now on."),
            Resolved(14, "silent", "Reached by phone."),
        ),
    ),
    Course(
        shows="silent after a good start",
        start=45,
        pain=((45, "5.5"), (0, "4.5")),
        quiet=((18, EVER),),
        acts=(Contacted(5, "no_answer", "Voicemail."),),
    ),
    Course(
        shows="e-mail bounces",
        start=38,
        pain=((38, "5.0"), (0, "4.5")),
        quiet=((20, EVER),),
        acts=(
            Bounced(20),
            Acknowledged(5, "silent", "New address asked for by phone."),
        ),
    ),
    Course(
        shows="just back from a long pause",
        start=66,
        pain=((66, "5.5"), (0, "4.5")),
        quiet=((4, EVER),),
        acts=(Paused(24, "holiday", 4, "Long trip."),),
    ),
)

GOOD = (
    Course(
        shows="on track by AKPS alone, pain not reported",
        start=59,
        pain=((59, "5.5"), (0, "4.9")),
        quiet=((21, EVER),),
        akps=((59, 66), (20, 78)),
    ),
    Course(
        shows="stall that resolved by itself",
        start=73,
        pain=((73, "6.0"), (28, "6.0"), (25, "3.0"), (0, "2.6")),
        noise="0.3",
        progresses=True,
    ),
    Course(
        shows="red flag cleared with a finding",
        start=59,
        pain=((59, "6.0"), (0, "2.4")),
        progresses=True,
        symptoms=(Symptoms(33, ("knee_swells",), "Thick knee after a long walk."),),
        acts=(
            Acknowledged(32, "red_flag", "Appointment made."),
            Cleared(29, "No effusion, ligaments stable, full extension. Program goes on."),
        ),
    ),
    Course(
        shows="both knees: the other one got worse",
        start=52,
        pain=((52, "6.0"), (22, "3.0"), (0, "2.8")),
        other_knee=((52, "2.4"), (25, "2.6"), (12, "5.4"), (0, "5.6")),
        noise="0.3",
    ),
    Course(
        shows="program replaced, the clock runs on",
        start=73,
        pain=((73, "6.2"), (38, "3.6"), (0, "2.5")),
        acts=(Replaced(35, "runners-knee-mechanics"),),
        track=RunningTrack.STILL_RUNNING,
        runs_km=((73, "8"), (0, "11")),
    ),
    Course(
        shows="patient abroad, another time zone",
        start=45,
        pain=((45, "5.8"), (0, "2.6")),
        zone="America/New_York",
        progresses=True,
    ),
    Course(
        shows="iliotibial band syndrome; a stage moved with a written reason",
        start=45,
        pain=((45, "6.0"), (0, "2.5")),
        diagnosis=Diagnosis.ITB_SYNDROME,
        template="itb-syndrome",
        acts=(Moved(40, "Settled within days, has trained before."),),
    ),
)

CLOSED = (
    Course(
        shows="discharged with a stall: referred on",
        start=81,
        pain=((81, "6.3"), (0, "6.0")),
        noise="0.3",
        effort="amber",
        acts=(Discharged(9, "referred", "To the sports physician for imaging."),),
    ),
    Course(
        shows="dropped out",
        start=66,
        pain=((66, "5.5"), (0, "5.0")),
        quiet=((48, EVER),),
        acts=(
            Contacted(30, "no_answer", "Twice."),
            Discharged(20, "dropped_out", "No answer to calls and letters."),
        ),
    ),
    Course(
        shows="recovered and discharged",
        start=80,
        pain=((80, "6.0"), (30, "1.5"), (0, "1.0")),
        progresses=True,
        acts=(Discharged(8, "recovered", "Runs 10 km without pain."),),
    ),
    Course(
        shows="another diagnosis: no program, referred on",
        start=17,
        pain=((17, "6.0"),),
        diagnosis=Diagnosis.OTHER_KNEE,
        template=None,
        acts=(Contacted(15, "message", "Letter to the GP: medial joint line, suspect meniscus."),),
    ),
    Course(
        shows="invited, account not opened yet",
        start=4,
        pain=((4, "5.0"), (0, "4.8")),
        accepts=False,
        sessions=0,
        quiet=((4, EVER),),
    ),
)

WATCHED = (
    Course(
        shows="discharged with a relapse watch: the pain is back",
        start=84,
        pain=((84, "5.5"), (45, "1.0"), (0, "1.0")),
        noise="0.2",
        progresses=True,
        acts=(
            Discharged(43, "recovered", "Runs 5 km without pain.", watch=True),
            Returned(9, "5.0", "no"),
        ),
    ),
)
"""After all the others, so that theirs stay the case numbers they have."""

SHOWCASE: tuple[Course, ...] = (*STALLED, *STALLING, *EARLY, *NOT_JUDGED, *GOOD, *CLOSED)
