"""Patients who are early, not judged, doing well, or gone."""

from __future__ import annotations

from patients.vocabulary import (
    Diagnosis,
    MuscleGroup,
    OutcomeMeasure,
    RunningTrack,
)
from programs.demo.courses import (
    EVER,
    OWN_COPY,
    Acknowledged,
    Bounced,
    Cleared,
    Contacted,
    Course,
    Discharged,
    Laddered,
    Moved,
    Opened,
    Paused,
    Reassessed,
    Replaced,
    Resolved,
    Returned,
    Switched,
    Symptoms,
)
from programs.rules.progression import Terrain

HIP = MuscleGroup.HIP_ABDUCTORS
AKPS = OutcomeMeasure.AKPS
KOOS_PF = OutcomeMeasure.KOOS_PF
LEFS = OutcomeMeasure.LEFS
GROC = OutcomeMeasure.GROC

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
        intake_scores=((KOOS_PF, 23),),
        start=87,
        pain=((87, "5.9"), (0, "5.3")),
        noise="0.3",
        effort="amber",
        acts=(
            Reassessed(36, strength=((HIP, 80),), scores=((KOOS_PF, 22), (GROC, 0))),
            Reassessed(4, strength=((HIP, 88),), scores=((KOOS_PF, 20), (GROC, 1)), signed=False),
            Resolved(36, "stall", "Hip weakness found on re-test; hip-led program agreed."),
            Replaced(32, "runners-knee-hip-led", "Half of the first weeks fell into a house move."),
        ),
    ),
    Course(
        shows="15 years old, with a guardian's consent",
        start=24,
        pain=((24, "5.0"), (0, "3.8")),
        template=OWN_COPY,
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
        intake_scores=((KOOS_PF, 22), (LEFS, 56)),
        start=73,
        pain=((73, "6.0"), (28, "6.0"), (25, "3.0"), (0, "2.6")),
        noise="0.3",
        akps=((73, 65),),
        progresses=True,
        acts=(
            Reassessed(45, strength=((HIP, 90),), scores=((AKPS, 66), (KOOS_PF, 20), (LEFS, 58))),
            Reassessed(
                17,
                strength=((HIP, 97),),
                scores=((AKPS, 76), (KOOS_PF, 11), (LEFS, 69), (GROC, 5)),
                ability=2,
            ),
        ),
    ),
    Course(
        shows="red flag cleared with a finding",
        start=59,
        pain=((59, "6.0"), (0, "2.4")),
        template=OWN_COPY,
        progresses=True,
        symptoms=(Symptoms(33, ("knee_swells",), "Thick knee after a long walk."),),
        acts=(
            Acknowledged(32, "red_flag", "Appointment made."),
            Cleared(29, "No effusion, ligaments stable, full extension. Program goes on."),
        ),
    ),
    Course(
        shows="both knees: the other one got worse",
        intake_scores=((KOOS_PF, 24),),
        start=52,
        pain=((52, "6.0"), (22, "3.0"), (0, "2.8")),
        other_knee=((52, "2.4"), (25, "2.6"), (12, "5.4"), (0, "5.6")),
        noise="0.3",
        acts=(
            Reassessed(24, strength=((HIP, 92),), scores=((AKPS, 74), (KOOS_PF, 16), (GROC, 3)), ability=2),
        ),
        akps=((52, 64),),
    ),
    Course(
        shows="program replaced, the clock runs on",
        intake_scores=((LEFS, 50),),
        start=73,
        pain=((73, "6.2"), (38, "3.6"), (0, "2.5")),
        akps=((73, 62),),
        acts=(
            Reassessed(45, strength=((HIP, 90),), scores=((AKPS, 71), (LEFS, 56)), ability=1),
            Reassessed(17, strength=((HIP, 96),), scores=((AKPS, 84), (LEFS, 70), (GROC, 6)), ability=3),
            Replaced(35, "runners-knee-mechanics"),
            Opened(10, Terrain.DOWNHILLS),
        ),
        track=RunningTrack.STILL_RUNNING,
        runs_km=((73, "8"), (0, "11")),
        off_flat=(((6, 3), Terrain.SPEED),),
    ),
    Course(
        shows="patient abroad, another time zone",
        start=45,
        pain=((45, "5.8"), (0, "2.6")),
        template=OWN_COPY,
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
        intake_scores=((KOOS_PF, 26), (LEFS, 48)),
        start=80,
        pain=((80, "6.0"), (30, "1.5"), (0, "1.0")),
        progresses=True,
        akps=((80, 60),),
        acts=(
            Reassessed(52, strength=((HIP, 91),), scores=((AKPS, 70), (KOOS_PF, 18), (LEFS, 58)), ability=2),
            Reassessed(
                9, strength=((HIP, 99),), scores=((AKPS, 92), (KOOS_PF, 4), (LEFS, 77), (GROC, 7)), ability=5
            ),
            Discharged(8, "recovered", "Runs 10 km without pain."),
        ),
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
    Course(
        shows="stopped running: on the ladder, a run over locked hills",
        start=80,
        pain=((80, "6.0"), (60, "3.0"), (46, "0"), (0, "0")),
        noise="0",
        answered=1,
        daily=((66, 32),),
        track=RunningTrack.STILL_RUNNING,
        runs_km=((32, "0"), (31, "3"), (0, "6")),
        off_flat=(((6, 3), Terrain.HILLS),),
        acts=(
            Switched(66, RunningTrack.STOPPED, "Limps after every run; running stops for now."),
            Moved(63, "Has trained before; no exercise hurts."),
            Moved(49, "As before."),
            Moved(38, "No pain for a week."),
            *(Laddered(ago) for ago in (35, 21, 14, 7)),
        ),
    ),
)
"""After all the others, so that theirs stay the case numbers they have."""
