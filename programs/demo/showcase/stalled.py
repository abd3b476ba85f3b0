"""Patients whose program has not moved the needle, or is about to: why, and what was done about it."""

from __future__ import annotations

from patients.vocabulary import (
    Diagnosis,
    MuscleGroup,
    OutcomeMeasure,
    PainLocation,
    RunningTrack,
    StrengthMethod,
)
from programs.demo.courses import (
    Acknowledged,
    Contacted,
    Course,
    HandedOver,
    Reassessed,
    Resolved,
    Snoozed,
)

HIP = MuscleGroup.HIP_ABDUCTORS
QUADRICEPS = MuscleGroup.QUADRICEPS
AKPS = OutcomeMeasure.AKPS
KOOS_PF = OutcomeMeasure.KOOS_PF
LEFS = OutcomeMeasure.LEFS
GROC = OutcomeMeasure.GROC

STALLED = (
    Course(
        shows="12 weeks without success: re-assess",
        intake_scores=((KOOS_PF, 22), (LEFS, 54)),
        start=86,
        pain=((86, "5.6"), (0, "5.2")),
        noise="0.3",
        effort="amber",
        akps=((86, 68), (44, 70)),
        acts=(
            Reassessed(58, strength=((HIP, 85),), scores=((KOOS_PF, 21),)),
            Reassessed(
                30,
                strength=((HIP, 87),),
                scores=((AKPS, 71), (KOOS_PF, 20), (LEFS, 57), (GROC, 1)),
            ),
            Acknowledged(20, "stall", "Discussed with the patient, one more block agreed."),
        ),
    ),
    Course(
        shows="a fair trial that changed nothing",
        intake_scores=((KOOS_PF, 21), (LEFS, 52)),
        start=66,
        pain=((66, "5.8"), (0, "5.5")),
        noise="0.3",
        effort="amber",
        akps=((66, 66), (24, 67)),
        acts=(
            Reassessed(
                38,
                strength=((HIP, 86),),
                scores=((KOOS_PF, 21), (LEFS, 53)),
                addendum="The dynamometer stood 5 cm higher than noted; the figures stay.",
            ),
            Reassessed(
                10,
                strength=((HIP, 88),),
                scores=((AKPS, 68), (KOOS_PF, 20), (LEFS, 55), (GROC, 0)),
            ),
        ),
    ),
    Course(
        shows="slow, but moving: continue",
        intake_scores=((KOOS_PF, 24),),
        start=66,
        pain=((66, "6.6"), (0, "5.0")),
        noise="0.2",
        effort="amber",
        akps=((66, 64), (24, 67)),
        acts=(
            Reassessed(38, strength=((HIP, 88),), scores=((KOOS_PF, 21),), ability=1),
            Reassessed(10, strength=((HIP, 92),), scores=((AKPS, 70), (KOOS_PF, 18), (GROC, 3)), ability=1),
            Acknowledged(6, "stall", "Improving slowly. Re-measure in two weeks."),
        ),
    ),
    Course(
        shows="worse than at the start",
        intake_scores=((LEFS, 60),),
        start=59,
        pain=((59, "4.0"), (40, "4.4"), (12, "6.8"), (0, "7.0")),
        noise="0.3",
        effort="amber",
        acts=(
            Reassessed(31, strength=((HIP, 84),), scores=((AKPS, 68), (LEFS, 58))),
            Reassessed(
                3,
                strength=((HIP, 79),),
                scores=((AKPS, 55), (LEFS, 46), (GROC, -3)),
                ability=-1,
                signed=False,
            ),
        ),
        akps=((59, 70),),
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
        acts=(HandedOver(4, "drift", "Sees more menisci than I do; the patient agrees."),),
    ),
    Course(
        shows="stall dealt with by the physio",
        intake_scores=((KOOS_PF, 20),),
        start=73,
        pain=((73, "5.7"), (0, "5.3")),
        noise="0.3",
        effort="amber",
        akps=((73, 66),),
        acts=(
            Reassessed(45, strength=((HIP, 86),), scores=((AKPS, 67), (KOOS_PF, 20))),
            Reassessed(
                8,
                strength=((HIP, 89),),
                scores=((AKPS, 69), (KOOS_PF, 19), (GROC, 0)),
                method=StrengthMethod.ISOKINETIC,
            ),
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
        intake_scores=((LEFS, 55),),
        start=52,
        pain=((52, "6.4"), (0, "4.8")),
        noise="0.2",
        effort="amber",
        diagnosis=Diagnosis.PATELLAR_TENDINOPATHY,
        template="patellar-tendinopathy",
        weak=((MuscleGroup.QUADRICEPS, 82),),
        acts=(Reassessed(24, strength=((QUADRICEPS, 86),), scores=((LEFS, 60),), ability=1),),
    ),
)
