"""The table: every threshold with its default, label, unit, range and source.

Pure: standard library only, so that the rules may import it. A field's name is its key in
``ClinicPolicy.overrides`` and ``Episode.policy_overrides``; its metadata says what a clinician
needs to know to change it. Sources S0..S4 are the five articles the product is built from
(docs/clinical-sources.md); other numbers name their paper. "Our default" marks what goes beyond them.

Pain is on the 0-10 NPRS, in tenths (Decimal).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from clinic.thresholds.entry import OUR_DEFAULT
from clinic.thresholds.entry import entry as _t
from clinic.thresholds.entry import pain as _nprs

STALL, BASELINE, NOW, SUCCESS = "Stall", "Baseline", "Pain now", "Success"
REASONS, ALERTS, PAIN, GATES = "Reasons", "Alerts", "24-hour pain rule", "Stage gates"
RUNNING, CHECK_INS, MATCHING, DIGEST = "Running", "Check-ins", "Matching", "Weekly digest"
RED_FLAGS, MONITORING, AFTER = "Red flags", "Remote monitoring", "After discharge"

_TIMESCALE = "S1: 4-8 weeks; S0: 6-8 weeks"
_RUN_PAIN = "S0: below 3; S1: 3 or less; S2: none"
_US_CODES = "CMS, Physician Fee Schedule 2026: 2-15 and 16-30 days in 30"
_FREQUENCY = "S0: at least 2 a week; S2: at least 3"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All thresholds in force for one case: defaults, then the clinic's, then the case's own."""

    # --- stall: weeks are whole unpaused weeks, days // 7
    watch_week: int = _t(
        4, STALL, "Watch from week", _TIMESCALE, unit="weeks", low=1, high=26, conflict=_TIMESCALE
    )
    stalling_week: int = _t(
        6, STALL, "Stalling from week", "S0", unit="weeks", low=1, high=26, conflict=_TIMESCALE
    )
    stalled_week: int = _t(
        8, STALL, "Stalled from week", "S0", unit="weeks", low=1, high=52, conflict=_TIMESCALE
    )
    reassess_week: int = _t(
        12, STALL, "Always list re-assessment from week", OUR_DEFAULT, unit="weeks", low=4, high=52
    )
    max_paused_days: int = _t(
        28, STALL, "Ask 'restart or discharge?' above", OUR_DEFAULT, unit="paused days", low=7, high=180
    )
    long_pause_days: int = _t(
        7, STALL, "A pause counts as long above", OUR_DEFAULT, unit="days", low=1, high=60
    )
    resuming_days: int = _t(
        14,
        STALL,
        "After a long pause, only days since resuming count for",
        OUR_DEFAULT,
        unit="days",
        low=1,
        high=60,
    )
    trend_worse: Decimal = _nprs(Decimal(2), STALL, "Trend is 'worse' when pain is up by", "Crossley 2004")
    trend_slow: Decimal = _nprs(Decimal(1), STALL, "Trend is 'slow' when pain is down by", "Piva 2009 (1.16)")
    # --- baseline
    baseline_days: int = _t(
        7, BASELINE, "Length of the baseline span", OUR_DEFAULT, unit="days", low=2, high=14
    )
    baseline_min_days: int = _t(
        2, BASELINE, "Days with an answer it needs", OUR_DEFAULT, unit="days", low=1, high=7
    )
    intake_max_age_days: int = _t(
        28,
        BASELINE,
        "Oldest intake that may serve",
        OUR_DEFAULT,
        unit="days before the start",
        low=0,
        high=90,
    )
    late_baseline_last_start_day: int = _t(
        20, BASELINE, "A late baseline starts by day", OUR_DEFAULT, unit="day", low=1, high=60
    )
    # --- now
    now_window_days: int = _t(
        14, NOW, "Length of the window", OUR_DEFAULT, unit="unpaused days", low=3, high=28
    )
    now_min_days: int = _t(2, NOW, "Days with an answer it needs", OUR_DEFAULT, unit="days", low=1, high=14)
    now_min_answered_percent: int = _t(
        50, NOW, "Share of due check-ins that must be answered", OUR_DEFAULT, unit="%", low=0, high=100
    )
    # --- success
    success_drop: Decimal = _nprs(
        Decimal(2), SUCCESS, "Worst pain down by", "J Athl Train 53(6):545 (n = 199)", low="0.1"
    )
    success_baseline_floor: Decimal = _nprs(
        Decimal(3), SUCCESS, "... from a baseline of at least", OUR_DEFAULT
    )
    success_drop_percent: int = _t(
        30, SUCCESS, "Below that baseline: down by", OUR_DEFAULT, unit="%", low=1, high=100
    )
    success_now_below: Decimal = _nprs(Decimal(2), SUCCESS, "Or pain now below", OUR_DEFAULT)
    success_akps_gain: int = _t(
        8, SUCCESS, "Or AKPS up by", "J Athl Train 53(6):545 (n = 199)", unit="points", low=1, high=100
    )
    akps_baseline_before_days: int = _t(
        14, SUCCESS, "AKPS baseline: at most before the start", OUR_DEFAULT, unit="days", low=0, high=60
    )
    akps_baseline_after_days: int = _t(
        7, SUCCESS, "AKPS baseline: at most after the start", OUR_DEFAULT, unit="days", low=0, high=28
    )
    akps_early_days: int = _t(
        7, SUCCESS, "A due AKPS counts if at most early by", OUR_DEFAULT, unit="days", low=0, high=14
    )
    akps_current_max_age_days: int = _t(
        21, SUCCESS, "Current AKPS: at most old", OUR_DEFAULT, unit="days", low=1, high=90
    )
    akps_current_after_day: int = _t(
        28, SUCCESS, "Current AKPS: taken after day", OUR_DEFAULT, unit="day", low=0, high=90
    )
    akps_pain_veto: Decimal = _nprs(Decimal(2), SUCCESS, "AKPS does not outweigh pain up by", OUR_DEFAULT)
    # --- reasons
    adherence_window_days: int = _t(
        28, REASONS, "Adherence is measured over", OUR_DEFAULT, unit="unpaused days", low=7, high=84
    )
    strength_floor_per_week: int = _t(
        2, REASONS, "Strength sessions, floor", "S0", unit="a week", low=1, high=7, conflict=_FREQUENCY
    )
    strength_prescribed_per_week: int = _t(
        3, REASONS, "Strength sessions, prescribed", "S2", unit="a week", low=1, high=7, conflict=_FREQUENCY
    )
    adherence_min_percent: int = _t(
        50, REASONS, "Share of prescribed sessions that must be done", OUR_DEFAULT, unit="%", low=0, high=100
    )
    overload_reds: int = _t(
        2, REASONS, "Overload: red sessions", OUR_DEFAULT, unit="sessions", low=1, high=10
    )
    overload_days: int = _t(14, REASONS, "... within", OUR_DEFAULT, unit="days", low=1, high=60)
    overload_distance_ratio: Decimal = _t(
        Decimal("1.3"),
        REASONS,
        "Overload: last week's distance above",
        OUR_DEFAULT,
        unit="x the mean of the 3 weeks before",
        low=1,
        high=5,
    )
    overload_min_km: Decimal = _t(
        Decimal(10), REASONS, "... if that mean is at least", OUR_DEFAULT, unit="km a week", low=0, high=200
    )
    flare_rise: Decimal = _nprs(
        Decimal(2), REASONS, "Flare: median of the last 7 days above the 7 before by", OUR_DEFAULT, low="0.1"
    )
    flare_review_days: int = _t(7, REASONS, "Review a flare in", OUR_DEFAULT, unit="days", low=1, high=28)
    under_loaded_days: int = _t(
        14, REASONS, "Under-loaded: ready and not progressed for", OUR_DEFAULT, unit="days", low=1, high=60
    )
    slow_remeasure_weeks: int = _t(
        2, REASONS, "Slow trend: re-measure in", OUR_DEFAULT, unit="weeks", low=1, high=8
    )
    # --- alerts
    worsening_from_day: int = _t(
        14, ALERTS, "Worsening counts from day", OUR_DEFAULT, unit="day", low=0, high=60
    )
    worsening_rise: Decimal = _nprs(
        Decimal(2), ALERTS, "Worsening: pain now above baseline by", OUR_DEFAULT, low="0.1"
    )
    silent_days: int = _t(
        10, ALERTS, "Silent: unpaused days without an answer", OUR_DEFAULT, unit="days", low=2, high=60
    )
    silent_missed_requests: int = _t(
        2, ALERTS, "... and check-ins missed", OUR_DEFAULT, unit="check-ins", low=1, high=20
    )
    stall_resolve_gap_days: int = _t(
        7,
        ALERTS,
        "A stall resolves after success at two reviews apart by",
        OUR_DEFAULT,
        unit="days",
        low=1,
        high=28,
    )
    stall_reopen_days: int = _t(
        14, ALERTS, "Failing again re-opens the same alert within", OUR_DEFAULT, unit="days", low=0, high=60
    )
    snooze_max_days: int = _t(
        42, ALERTS, "An alert is snoozed at most", OUR_DEFAULT, unit="days", low=1, high=180
    )
    reopen_after_days: int = _t(
        14,
        ALERTS,
        "After a clinician resolves it, the same kind opens again after",
        OUR_DEFAULT,
        unit="days",
        low=0,
        high=90,
    )
    # --- the 24-hour pain rule
    green_max: Decimal = _nprs(Decimal(3), PAIN, "Green: pain during at most", "S0, S1", conflict=_RUN_PAIN)
    amber_max: Decimal = _nprs(Decimal(5), PAIN, "Amber: strength work, pain during at most", "Silbernagel")
    settle_allowance: Decimal = _nprs(
        Decimal(1), PAIN, "Settled: next morning at most above the morning before by", OUR_DEFAULT, high=5
    )
    greens_to_progress: int = _t(
        3, PAIN, "Greens in a row until ready to progress", OUR_DEFAULT, unit="sessions", low=1, high=10
    )
    dose_step_sets: int = _t(
        1, PAIN, "Ease or progress one step: sets of each exercise", OUR_DEFAULT, unit="sets", low=1, high=3
    )
    dose_max_sets: int = _t(
        5, PAIN, "... up to at most", OUR_DEFAULT, unit="sets of an exercise", low=1, high=10
    )
    # --- stage gates
    gate_pain_days: int = _t(
        7, GATES, "Worst pain not rising: compare spans of", OUR_DEFAULT, unit="days", low=3, high=28
    )
    gate_no_red_days: int = _t(7, GATES, "No red session within", OUR_DEFAULT, unit="days", low=0, high=28)
    stage4_pain_max: Decimal = _nprs(
        Decimal(3), GATES, "Return to running: worst pain at most", "S1", conflict=_RUN_PAIN
    )
    # --- running
    symptom_free_days: int = _t(
        7,
        RUNNING,
        "Symptom-free days before the ladder, for those who stopped",
        "S2",
        unit="days",
        low=0,
        high=7,
        conflict="S2: 7; S0: none",
    )
    symptom_free_min_answers: int = _t(
        6, RUNNING, "... of which answered", OUR_DEFAULT, unit="days", low=0, high=7
    )
    stopped_after_days: int = _t(
        14, RUNNING, "'Stopped running' when off for more than", OUR_DEFAULT, unit="days", low=1, high=90
    )
    running_cut_percent: int = _t(
        40,
        RUNNING,
        "Still running: cut the volume by",
        "S0 (30-50 %)",
        unit="%",
        low=0,
        high=100,
        conflict="S2: rest first; S0, S4: relative rest; S1: by pain level",
    )
    running_cut_weeks: int = _t(2, RUNNING, "... for the first", OUR_DEFAULT, unit="weeks", low=1, high=8)
    running_growth_percent: int = _t(
        10, RUNNING, "Load error: grow the distance a week by at most", OUR_DEFAULT, unit="%", low=0, high=50
    )
    ladder_max_runs_per_week: int = _t(
        3, RUNNING, "Ladder: runs a week, at most", OUR_DEFAULT, unit="runs", low=1, high=7
    )
    ladder_step_days: int = _t(
        7, RUNNING, "Ladder: one step up at most every", OUR_DEFAULT, unit="days", low=1, high=28
    )
    ladder_greens_per_step: int = _t(
        2, RUNNING, "Ladder: green runs before a step up", OUR_DEFAULT, unit="runs", low=1, high=6
    )
    ladder_red_rest_days: int = _t(
        2, RUNNING, "Ladder: days off after a red run", OUR_DEFAULT, unit="days", low=0, high=14
    )
    # --- check-ins
    check_in_weekdays: tuple[int, ...] = _t(
        (1, 3, 5), CHECK_INS, "Ask on weekdays (Monday = 1)", OUR_DEFAULT, low=1, high=7
    )
    check_in_time: time = _t(time(18, 0), CHECK_INS, "... at the patient's local time", OUR_DEFAULT)
    check_in_recall_days: int = _t(
        3, CHECK_INS, "Ask for the worst pain of the last", OUR_DEFAULT, unit="days", low=1, high=7
    )
    remind_after_hours: int = _t(
        24, CHECK_INS, "Remind once after", OUR_DEFAULT, unit="hours", low=1, high=96
    )
    missed_after_hours: int = _t(48, CHECK_INS, "Missed after", OUR_DEFAULT, unit="hours", low=2, high=168)
    pause_backdate_days: int = _t(
        28, CHECK_INS, "A pause is entered afterwards at most", OUR_DEFAULT, unit="days", low=0, high=90
    )
    # --- after discharge
    watch_months: int = _t(6, AFTER, "Relapse watch lasts", OUR_DEFAULT, unit="months", low=1, high=24)
    watch_every_days: int = _t(30, AFTER, "... asks every", OUR_DEFAULT, unit="days", low=14, high=90)
    watch_remind_days: int = _t(3, AFTER, "... reminds once after", OUR_DEFAULT, unit="days", low=1, high=14)
    watch_missed_days: int = _t(
        10, AFTER, "... counts as missed after", OUR_DEFAULT, unit="days", low=2, high=28
    )
    relapse_rise: Decimal = _nprs(
        Decimal(2), AFTER, "Relapse: worst pain above that at discharge by", "Crossley 2004", low="0.1"
    )
    relapse_floor: Decimal = _nprs(Decimal(3), AFTER, "... and at least", OUR_DEFAULT)
    # --- matching
    lsi_deficit_below: int = _t(
        90, MATCHING, "A strength deficit is an LSI below", OUR_DEFAULT, unit="%", low=50, high=100
    )
    quadriceps_norm_men: Decimal = _t(
        Decimal("2.92"),
        MATCHING,
        "Knee extension of men, lower norm",
        "Sarabon 2021",
        unit="Nm/kg",
        low=0,
        high=10,
    )
    quadriceps_norm_women: Decimal = _t(
        Decimal("2.08"),
        MATCHING,
        "Knee extension of women, lower norm",
        "Sarabon 2021",
        unit="Nm/kg",
        low=0,
        high=10,
    )
    finding_max_age_days: int = _t(
        28,
        MATCHING,
        "An earlier finding other than strength counts for",
        OUR_DEFAULT,
        unit="days",
        low=0,
        high=365,
    )
    low_cadence: int = _t(
        165, MATCHING, "Low cadence at easy pace, below", "S0", unit="steps a minute", low=120, high=200
    )
    shoe_max_km: int = _t(805, MATCHING, "Worn shoes above", "S2 (500 miles)", unit="km", low=100, high=3000)
    shoe_max_months: int = _t(6, MATCHING, "Worn shoes above", "S2", unit="months", low=1, high=48)
    q_angle_error: Decimal = _t(
        Decimal(3),
        MATCHING,
        "Q-angle: smallest real change between two tests",
        "Weiss 2013",
        unit="degrees",
        low=0,
        high=15,
    )
    # --- digest
    digest_weekday: int = _t(1, DIGEST, "Sent on weekday (Monday = 1)", OUR_DEFAULT, low=1, high=7)
    digest_time: time = _t(time(7, 0), DIGEST, "... at local time", OUR_DEFAULT)
    digest_max_cases: int = _t(10, DIGEST, "Ranked cases, at most", OUR_DEFAULT, unit="cases", low=1, high=50)
    digest_full_names: bool = _t(False, DIGEST, "Show full names instead of initials", OUR_DEFAULT)
    silent_max_mentions: int = _t(
        2, DIGEST, "A silent patient is listed at most", OUR_DEFAULT, unit="times", low=1, high=10
    )
    # --- red flags: cannot be switched off, only who is told when
    escalate_after_clinic_hours: int = _t(
        4,
        RED_FLAGS,
        "Tell the owner too when unacknowledged for",
        OUR_DEFAULT,
        unit="clinic hours",
        low=1,
        high=24,
    )
    clinic_opens: time = _t(time(8, 0), RED_FLAGS, "Clinic opens (Monday to Friday)", OUR_DEFAULT)
    clinic_closes: time = _t(time(18, 0), RED_FLAGS, "Clinic closes", OUR_DEFAULT)
    # --- remote monitoring: counters that some US payers ask for; nothing clinical hangs on them
    monitoring_counts: bool = _t(False, MONITORING, "Show the counters on the patient page", OUR_DEFAULT)
    monitoring_period_days: int = _t(
        30, MONITORING, "Rolling period of data days", _US_CODES, unit="days", low=7, high=90
    )
    monitoring_few_days: int = _t(
        2, MONITORING, "Lower band from", _US_CODES, unit="days with data", low=1, high=30
    )
    monitoring_many_days: int = _t(
        16, MONITORING, "Upper band from", _US_CODES, unit="days with data", low=2, high=90
    )
