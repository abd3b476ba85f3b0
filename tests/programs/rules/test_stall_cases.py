"""Hand-worked cases of the stall rule: what each one is, and what clinical.md 7 says of it.

Check-ins stand on days 0, 2 and 4 of each week. On day 56 (week 8) the Now window is days 43-56 with
check-ins on 44, 46, 49, 51, 53 and 56; the first week holds those of days 0, 2 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from clinic.thresholds import DEFAULTS
from programs.rules.stall import BaselineSource, CaseFacts, Knee, ReasonCode, State, Trend, review
from tests.programs.rules.stall_case import (
    DRIFTED,
    RED,
    akps,
    answers,
    case,
    day,
    diary,
    flat,
    hold,
    holiday,
    illness,
    intake,
    requests,
    then,
)

LATE, INTAKE, FIRST_WEEK = BaselineSource.LATE, BaselineSource.INTAKE, BaselineSource.FIRST_WEEK
SILENT, RESUMING, NO_BASELINE = ReasonCode.SILENT, ReasonCode.RESUMING, ReasonCode.NO_BASELINE
FAIR_TRIAL, RELAPSED, FLARE = ReasonCode.ADHERENT_BUT_FLAT, ReasonCode.RELAPSED, ReasonCode.FLARE
REASSESS, RESTART = ReasonCode.REASSESS, ReasonCode.RESTART_OR_DISCHARGE


PAUSED, ON_HOLD, TOO_EARLY, UNKNOWN = State.PAUSED, State.ON_HOLD, State.TOO_EARLY, State.INSUFFICIENT_DATA
ON_TRACK, WATCH, STALLING, STALLED = State.ON_TRACK, State.WATCH, State.STALLING, State.STALLED
WORSE, SLOW, FLAT = Trend.WORSE, Trend.SLOW, Trend.FLAT


@dataclass(frozen=True)
class Row:
    """A case, the day it is reviewed on, and the verdict worked out by hand; None: nothing to say."""

    what: str
    facts: CaseFacts
    on: int
    state: State
    reason: ReasonCode | None = None
    trend: Trend | None = None
    baseline: str | None = None
    now: str | None = None
    source: BaselineSource | None = None
    others: tuple[ReasonCode, ...] = ()


CLOCK = [
    Row("day 27 is week 3: too early", case(flat()), 27, TOO_EARLY, None, None, "6.0", "6.0"),
    Row("day 28 is week 4: watch", case(flat()), 28, WATCH, FAIR_TRIAL, FLAT, "6.0", "6.0"),
    Row("day 41 is week 5: watch", case(flat()), 41, WATCH, FAIR_TRIAL, FLAT),
    Row("day 42 is week 6: stalling", case(flat()), 42, STALLING, FAIR_TRIAL, FLAT),
    Row("day 55 is week 7: stalling", case(flat()), 55, STALLING, FAIR_TRIAL, FLAT),
    Row("day 56 is week 8: stalled", case(flat()), 56, STALLED, FAIR_TRIAL, FLAT),
    Row("success in week 3 is still too early", case(then("6.0", "1.0")), 27, TOO_EARLY),
    Row("success counts from week 4", case(then("6.0", "1.0")), 28, ON_TRACK, None, None, "6.0", "1.0"),
    Row("12 weeks, day 83: one day short", case(flat()), 83, STALLED, FAIR_TRIAL, FLAT),
    Row(
        "12 weeks without success list re-assess, last",
        case(flat()), 84, STALLED, FAIR_TRIAL, FLAT, others=(REASSESS,),
    ),
    Row("12 weeks with success list nothing", case(then("6.0", "3.0")), 84, ON_TRACK),
]  # fmt: skip

PAUSES = [
    Row("on holiday today: paused", case(flat(), pauses=(holiday(50, None),)), 56, PAUSED),
    Row("first day back: not paused", case(flat(), pauses=(holiday(50, 56),)), 56, STALLING,
        FAIR_TRIAL, FLAT),
    # 56 days, 7 of them paused: day 49, week 7. Not a long pause: the window reaches back over it.
    Row("a week's pause takes a week off", case(flat(), pauses=(holiday(30, 37),)), 56, STALLING,
        FAIR_TRIAL, FLAT, "6.0", "6.0"),
    # 63 days, 7 paused: week 8 again.
    Row("and only a week", case(flat(), pauses=(illness(30, 37),)), 63, STALLED, FAIR_TRIAL, FLAT),
    Row("two pauses that overlap count their days once",
        case(flat(), pauses=(holiday(30, 35), illness(33, 37))), 63, STALLED, FAIR_TRIAL, FLAT),
    Row("a hold is a pause of the clock", case(flat(), pauses=(hold(30, 37),)), 56, STALLING, FAIR_TRIAL,
        FLAT),
    # Day 58, 7 paused (44-50): day 51. Unpaused window: 38-43 and 51-58; 9.0 on paused days counts nowhere.
    Row("pain on paused days counts nowhere",
        case(diary((0, 43, "6.0"), (44, 50, "9.0"), (51, 58, "6.0")), pauses=(illness(44, 51),)), 58,
        STALLING, FAIR_TRIAL, FLAT, "6.0", "6.0"),
    # Days 40-49 off (10 days), back on 50. On 51 only days 50-51 count: one answer (day 51).
    Row("just back from a long pause: resuming", case(flat(), pauses=(holiday(40, 50),)), 51,
        UNKNOWN, RESUMING, None, "6.0", None),
    # On day 53 two answers since resuming, 51 and 53: 43 unpaused days, week 6. The 9.0 before are not seen.
    Row("two answers after a long pause: judged by them alone",
        case(diary((0, 6, "6.0"), (7, 39, "9.0"), (50, 60, "5.5")), pauses=(holiday(40, 50),)), 53,
        STALLING, FAIR_TRIAL, FLAT, "6.0", "5.5"),
    # Back on 50; day 63 is the 14th day, still resuming; day 64 no more.
    Row("still resuming on the 14th day back", case(flat(last=39), pauses=(holiday(40, 50),)), 63,
        UNKNOWN, RESUMING),
    Row("silent from the 15th day back", case(flat(last=39), pauses=(holiday(40, 50),)), 64,
        UNKNOWN, SILENT),
    # A pause of exactly 7 days is not "more than 7".
    Row("a pause of 7 days brings no resuming", case(flat(last=33), pauses=(holiday(43, 50),)), 51,
        UNKNOWN, SILENT),
    Row("two short pauses that touch are one long one",
        case(flat(), pauses=(holiday(40, 45), illness(45, 50))), 51, UNKNOWN, RESUMING),
    Row("on holiday after a success: no re-assess", case(then("6.0", "3.0"), pauses=(holiday(90, None),)), 91,
        PAUSED),
    Row("28 paused days: nothing to ask", case(flat(), pauses=(holiday(10, 38),)), 52, TOO_EARLY),
    Row("29 paused days: restart or discharge?", case(flat(), pauses=(holiday(10, 39),)), 52,
        TOO_EARLY, RESTART),
    Row("29 days into an open pause: restart or discharge?", case(flat(), pauses=(holiday(10, None),)), 38,
        PAUSED, RESTART),
    # 98 days, 36 paused: day 62, week 8.
    Row("a stall after 36 paused days lists it last", case(flat(), pauses=(illness(10, 46),)), 98,
        STALLED, FAIR_TRIAL, FLAT, others=(RESTART,)),
]  # fmt: skip

BASELINES = [
    Row("two days in the first week are enough", case(diary((2, 4, "6.0"), (7, 56, "5.0"))), 56, STALLED,
        FAIR_TRIAL, SLOW, "6.0", "5.0", FIRST_WEEK),
    Row("first week goes before intake", case(flat("6.0"), first_intake=intake("9.0")), 56, STALLED,
        FAIR_TRIAL, FLAT, "6.0", "6.0", FIRST_WEEK),
    Row("one day in the first week: the intake", case(diary((4, 56, "6.0")), first_intake=intake("7.5")), 56,
        STALLED, FAIR_TRIAL, SLOW, "7.5", "6.0", INTAKE),
    Row("an intake of 28 days before the start serves",
        case(diary((4, 56, "6.0")), first_intake=intake("7.5", -28)), 56, STALLED, FAIR_TRIAL, SLOW,
        "7.5", "6.0", INTAKE),
    # Days 4 and 7 are the first two answered days within 7: median of 6.0 and 6.5.
    Row("an intake of 29 days before does not: late baseline",
        case({4: "6.0"} | diary((7, 56, "6.5")), first_intake=intake("9.0", -29)), 56, STALLED, FAIR_TRIAL,
        FLAT, "6.25", "6.5", LATE),
    Row("an intake after the start does not serve either",
        case(diary((14, 56, "6.0")), first_intake=intake("9.0", 3)), 56, STALLED, FAIR_TRIAL, FLAT,
        "6.0", "6.0", LATE),
    # The first span of 7 days with two answers is 10-16: 7.0 and 6.0. Later answers do not move it.
    Row("late baseline is the first span that suffices",
        case({14: "7.0", 16: "6.0"} | diary((18, 56, "5.0"))), 56, STALLED, FAIR_TRIAL, SLOW, "6.5",
        "5.0", LATE),
    # Answers on 20 and 26: the span that starts on day 20 is the last that may.
    Row("late baseline of the last span, days 20-26",
        case({20: "6.0", 26: "6.0"} | diary((42, 56, "6.0"))), 56, STALLED, FAIR_TRIAL, FLAT, "6.0",
        "6.0", LATE),
    Row("a span from day 21 is too late: no baseline",
        case({21: "6.0", 27: "6.0"} | diary((42, 56, "6.0"))), 56, UNKNOWN, NO_BASELINE, None,
        None, "6.0"),
    Row("no baseline, even with no pain now", case(diary((42, 56, "0.0"))), 56, UNKNOWN,
        NO_BASELINE, None, None, "0.0"),
    # The first week is days 0, 1 and 9-13: answers on 0, 9 and 11, median 6.0.
    Row("the first week skips paused days",
        case({0: "4.0", 3: "9.0", 9: "6.0", 11: "7.0"} | diary((14, 80, "6.0")), pauses=(illness(2, 9),)), 63,
        STALLED, FAIR_TRIAL, FLAT, "6.0", "6.0", FIRST_WEEK),
]  # fmt: skip

NOW = [
    # Day 55: window 42-55, check-ins 42, 44, 46, 49, 51, 53; the last was missed on day 55.
    Row("half of those due is enough", case(diary((0, 46, "6.0"))), 55, STALLING, FAIR_TRIAL, FLAT,
        "6.0", "6.0"),
    Row("2 of 6 is under half", case(diary((0, 44, "6.0"))), 55, UNKNOWN, SILENT, None, "6.0"),
    # On day 54 the check-in of 53 is not past its missed time: 41-54 holds 42, 44, 46, 49, 51: 2 of 5 fails,
    # on day 52 (39-52): 39, 42, 44 answered, 46 and 49 missed, 51 open: 3 of 5 holds.
    Row("an open check-in is not due yet", case(diary((0, 44, "6.0"))), 52, STALLING, FAIR_TRIAL, FLAT),
    # Asked on 44, 46, 49, 51 and 53, answered twice: 2 of 5 once the missed time of 53 is reached, on 55.
    Row("a check-in is due on the day its missed time falls",
        case(diary((0, 46, "6.0"), skip=[42]), requests=requests(flat(last=46))[19:]), 55, UNKNOWN, SILENT),
    Row("and not the day before",
        case(diary((0, 46, "6.0"), skip=[42]), requests=requests(flat(last=46))[19:]), 54,
        STALLING, FAIR_TRIAL, FLAT),
    Row("two unprompted days, nothing asked: enough",
        case(flat(last=6) | {45: "6.0", 55: "6.0"}, requests=()), 56, STALLED, FAIR_TRIAL, FLAT, "6.0",
        "6.0"),
    Row("one day is not enough, even if nothing was asked",
        case(flat(last=6) | {55: "1.0"}, requests=()), 56, UNKNOWN, SILENT, None, "6.0"),
    Row("the review day is included, day 43 is the first",
        case(flat(last=6) | {42: "9.0", 43: "6.0", 56: "7.0"}, requests=()), 56, STALLED, FAIR_TRIAL,
        FLAT, "6.0", "6.5"),
    # 44: 4.1, 46: 5.0, 49: 4.2, 51: 9.0 -> the middle two are 4.2 and 5.0: 4.60.
    Row("an even median is the mean of the middle two",
        case(flat("6.0", 6) | {44: "4.1", 46: "5.0", 49: "4.2", 51: "9.0"}), 56, STALLED, FLARE,
        SLOW, "6.0", "4.6"),
    Row("a day's value is its worst answer",
        case(flat(), index=Knee(answers(flat("2.0")) + answers(flat("6.0")) + answers(flat("3.0")))), 56,
        STALLED, FAIR_TRIAL, FLAT, "6.0", "6.0"),
    Row("answers after the review day are not seen",
        case(diary((0, 56, "6.0"), (57, 80, "0.0"))), 56, STALLED, FAIR_TRIAL, FLAT, "6.0", "6.0"),
    # As above 2 of 6; that the other four were answered on day 60 nobody knows on day 55.
    Row("a check-in answered after the review day is missed until then",
        case(diary((0, 44, "6.0")), requests=requests(diary((0, 44, "6.0")), late=60)), 55,
        UNKNOWN, SILENT),
    Row("never an answer, an intake alone", case({}, first_intake=intake("6.0")), 56, UNKNOWN,
        SILENT, None, "6.0", None, INTAKE),
]  # fmt: skip

SUCCESS = [
    Row("baseline 3.0 needs two points: 1.9 is below 2 anyway", case(then("3.0", "1.9")), 56, ON_TRACK),
    Row("baseline 3.0 to 2.0 is 33 %, yet only one point", case(then("3.0", "2.0")), 56, STALLED, FAIR_TRIAL,
        SLOW, "3.0", "2.0"),
    Row("baseline 2.9 to 2.0 is 31 %: success", case(then("2.9", "2.0")), 56, ON_TRACK, None, None, "2.9",
        "2.0"),
    Row("baseline 2.9 to 2.1 is 27.6 %: none", case(then("2.9", "2.1")), 56, STALLED, FAIR_TRIAL, FLAT),
    Row("baseline 0 and now 0: below 2", case(flat("0.0")), 56, ON_TRACK, None, None, "0.0", "0.0"),
    Row("baseline 0 and now 1.9: below 2", case(then("0.0", "1.9")), 56, ON_TRACK),
    Row("baseline 0 and now 2.0: no success, and worse", case(then("0.0", "2.0", change=21)), 56, STALLED,
        RELAPSED, WORSE, "0.0", "2.0"),
    Row("down by exactly two", case(then("5.1", "3.1")), 56, ON_TRACK, None, None, "5.1", "3.1"),
    Row("down by 1.9: slow", case(then("5.1", "3.2")), 56, STALLED, FAIR_TRIAL, SLOW),
    Row("down by 0.9: flat", case(then("5.1", "4.2")), 56, STALLED, FAIR_TRIAL, FLAT),
    Row("up by 1.9: flat", case(then("5.1", "7.0")), 56, STALLED, FAIR_TRIAL, FLAT),
    Row("up by two: worse", case(then("5.1", "7.1")), 56, STALLED, FAIR_TRIAL, WORSE),
]  # fmt: skip

AKPS = [
    Row("up by 8", case(flat(), akps=akps({0: 60, 50: 68})), 56, ON_TRACK),
    Row("up by 7", case(flat(), akps=akps({0: 60, 50: 67})), 56, STALLED, FAIR_TRIAL, FLAT),
    Row("baseline of 14 days before", case(flat(), akps=akps({-14: 60, 50: 68})), 56, ON_TRACK),
    Row("baseline of 15 days before is too old", case(flat(), akps=akps({-15: 60, 50: 68})), 56, STALLED,
        FAIR_TRIAL, FLAT),
    Row("baseline of day 7", case(flat(), akps=akps({7: 60, 50: 68})), 56, ON_TRACK),
    Row("baseline of day 8 is too late", case(flat(), akps=akps({8: 60, 50: 68})), 56, STALLED, FAIR_TRIAL,
        FLAT),
    Row("the baseline is the score nearest to the start",
        case(flat(), akps=akps({-10: 50, 1: 62, 50: 68})), 56, STALLED, FAIR_TRIAL, FLAT),
    Row("a score of 21 days ago is current", case(flat(), akps=akps({0: 60, 35: 80})), 56, ON_TRACK),
    Row("one of 22 days ago is old", case(flat(), akps=akps({0: 60, 34: 80})), 56, STALLED, FAIR_TRIAL,
        FLAT),
    Row("day 28 is not after day 28", case(flat(), akps=akps({0: 60, 28: 80})), 40, WATCH, FAIR_TRIAL,
        FLAT),
    Row("day 29 is", case(flat(), akps=akps({0: 60, 29: 80})), 40, ON_TRACK),
    Row("the latest score counts", case(flat(), akps=akps({0: 60, 42: 80, 54: 61})), 56, STALLED, FAIR_TRIAL,
        FLAT),
    Row("of two scores on one day the lower counts",
        case(flat(), akps=akps({0: 60, 50: 80}) + akps({50: 61})), 56, STALLED, FAIR_TRIAL, FLAT),
    Row("it does not outweigh pain up by two", case(then("5.0", "7.0"), akps=akps({0: 60, 50: 80})), 56,
        STALLED, FAIR_TRIAL, WORSE),
    Row("it outweighs pain up by 1.9", case(then("5.0", "6.9"), akps=akps({0: 60, 50: 80})), 56, ON_TRACK),
    Row("with too few check-ins it gives on_track", case(flat(last=6), akps=akps({0: 60, 50: 80})), 56,
        ON_TRACK, None, None, "6.0", None),
    Row("unless the one answer there is says pain is up by two",
        case(flat(last=6) | {56: "8.0"}, akps=akps({0: 60, 50: 80})), 56, UNKNOWN, SILENT, None,
        "6.0", None),
    Row("without a baseline of pain it gives nothing", case({}, akps=akps({0: 60, 50: 80})), 56,
        UNKNOWN, NO_BASELINE, others=(SILENT,)),
]  # fmt: skip

OTHER_KNEE = Knee(answers(then("2.0", "6.0")))
TRIALS = [
    Row("a new fair trial starts the clock again", case(flat(), clock_started_on=day(60)), 80, TOO_EARLY),
    Row("but 12 weeks of the case still list re-assess", case(flat(), clock_started_on=day(70)), 90,
        TOO_EARLY, REASSESS),
    Row("success stays measured from the case's baseline",
        case(diary((0, 59, "7.0"), (60, 140, "5.0")), clock_started_on=day(60)), 95, ON_TRACK, None, None,
        "7.0", "5.0"),
    Row("a replaced program without a new trial keeps the clock", case(flat(), clock_started_on=day(0)), 63,
        STALLED, FAIR_TRIAL, FLAT),
    Row("the second trial stalls in its week 8", case(flat(), clock_started_on=day(28)), 84, STALLED,
        FAIR_TRIAL, FLAT, others=(REASSESS,)),
    Row("paused days before the trial are forgiven",
        case(flat(), clock_started_on=day(60), pauses=(holiday(10, 45),)), 75, TOO_EARLY),
    Row("both knees hurt: the index knee decides", case(then("6.0", "1.0"), other=OTHER_KNEE), 56, ON_TRACK,
        None, None, "6.0", "1.0"),
    Row("a good other knee does not help", case(flat(), other=Knee(answers(flat("0.0")))), 56, STALLED,
        FAIR_TRIAL, FLAT),
]  # fmt: skip

RED_FLAGS = [
    Row("an open red flag: on hold, whatever the pain", case(then("6.0", "1.0"), red_flags=(RED,)), 56,
        ON_HOLD, ReasonCode.RED_FLAG),
    Row("even too early", case(flat(), red_flags=(RED,)), 31, ON_HOLD, ReasonCode.RED_FLAG),
    Row("a flag raised later is not seen", case(flat(), red_flags=(RED,)), 29, WATCH, FAIR_TRIAL, FLAT),
    Row("paused goes before on hold, the flag stays first", case(flat(), red_flags=(RED,),
        pauses=(holiday(50, None), hold(30, None))), 56, PAUSED, ReasonCode.RED_FLAG),
    Row("held by a clinician without a flag", case(flat(), pauses=(hold(50, None, "awaits MRI"),)), 56,
        ON_HOLD, ReasonCode.HELD),
    Row("on hold lists drift", case(flat(), red_flags=(RED,), drift=DRIFTED), 56, ON_HOLD,
        ReasonCode.RED_FLAG, others=(ReasonCode.DRIFTED,)),
]  # fmt: skip

ROWS = [*CLOCK, *PAUSES, *BASELINES, *NOW, *SUCCESS, *AKPS, *TRIALS, *RED_FLAGS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_verdict(row: Row) -> None:
    verdict = review(row.facts, day(row.on), DEFAULTS)

    expected = [row.reason, *row.others] if row.reason else []
    assert verdict.state is row.state
    assert verdict.trend is row.trend
    assert [reason.code for reason in verdict.reasons] == expected
    if row.baseline is not None:
        assert verdict.baseline is not None
        assert verdict.baseline.value == Decimal(row.baseline)
    if row.reason is NO_BASELINE:
        assert verdict.baseline is None
    if row.now is not None:
        assert verdict.now.judged == Decimal(row.now)
    if row.state is State.INSUFFICIENT_DATA and row.reason is not NO_BASELINE:
        assert verdict.now.judged is None
    if row.source is not None:
        assert verdict.baseline is not None
        assert verdict.baseline.source is row.source
        assert verdict.baseline.late is (row.source is LATE)


def test_every_row_has_its_own_name() -> None:
    assert len({row.what for row in ROWS}) == len(ROWS)
