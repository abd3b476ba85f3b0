"""A red flag: the alert, the hold, who is told, who may clear it. Never lost, never told twice."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from clinic.models import Membership, OutboxMessage
from clinic.roles import Denied, Role
from programs.models import Alert, Answer, Hold
from programs.rules.red_flags import Symptom
from programs.services.alerts import AlertError, acknowledge, resolve, snooze
from programs.services.red_flags import EscalationError, clear, escalate_due, raise_red_flag
from tests.factories import NOW, TODAY, make_case, make_clinic, make_program, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def case():
    clinic = make_clinic()
    make_user("owner@example.org", role=Role.OWNER, clinic=clinic)
    return make_case(clinic, clinician=make_user("physio@example.org", clinic=clinic))


def report(case, *codes, now=NOW, **kwargs):
    return raise_red_flag(
        episode=case,
        codes=codes or ("knee_locks",),
        source="check-in of 2 Mar",
        evidence=[{"answer": 7}],
        now=now,
        **kwargs,
    )


def told(kind="red_flag"):
    return sorted(OutboxMessage.objects.filter(kind=kind).values_list("to_email", flat=True))


def answer(case, *codes, at):
    return Answer.objects.create(
        clinic=case.clinic,
        patient=case.patient,
        episode=case,
        client_id=uuid4(),
        occurred_at=at,
        local_date=at.date(),
        worst_left=Decimal(3),
        red_flags=list(codes),
    )


def test_it_opens_one_alert_holds_the_program_and_tells_the_clinician_at_once(case):
    program = make_program(case)
    alert = report(case)
    assert (alert.kind, alert.level, alert.state) == ("red_flag", "tier_2", "open")
    assert alert.summary == "Knee locks (check-in of 2 Mar)"
    assert alert.evidence == [
        {"code": "knee_locks", "text": "Knee locks", "source": "check-in of 2 Mar", "answer": 7}
    ]
    hold = Hold.objects.get(program=program)
    assert (hold.cleared_at, hold.red_flags) == (None, ["knee_locks"])
    assert told() == ["physio@example.org"]


def test_the_named_cover_is_told_too(case):
    cover = make_user("cover@example.org", clinic=case.clinic)
    Membership.objects.filter(user=case.clinician).update(cover=cover)
    report(case)
    assert told() == ["cover@example.org", "physio@example.org"]


def test_with_nobody_in_the_owner_is_told_at_once(case):
    Membership.objects.filter(user=case.clinician).update(is_active=False)
    report(case)
    assert told() == ["owner@example.org"]


@pytest.mark.parametrize(
    ("change", "word"),
    [({"is_active": False}, "works here"), ({"role": Role.ASSISTANT}, "treats patients here")],
)
def test_of_a_case_nobody_treats_the_cover_and_every_owner_are_told_so_at_once(case, change, word):
    cover = make_user("cover@example.org", clinic=case.clinic)
    make_user("owner2@example.org", role=Role.OWNER, clinic=case.clinic)
    Membership.objects.filter(user=case.clinician).update(cover=cover, **change)
    report(case, "calf_pain_swelling")
    assert told() == ["cover@example.org", "owner2@example.org", "owner@example.org"]
    for mail in OutboxMessage.objects.filter(kind="red_flag"):
        for body in (mail.text, mail.html):
            assert f"{case.clinician} no longer {word}, and nobody treats this case." in body
            assert f"{case.clinician} treats this case" not in body


def test_the_same_symptom_again_tells_nobody_twice(case):
    first = report(case)
    again = report(case, now=NOW + timedelta(days=1))
    assert again == first
    assert told() == ["physio@example.org"]
    assert first.events.count() == 1


def test_a_new_symptom_on_an_open_flag_raises_the_tier_and_counts_as_unread(case):
    alert = report(case)
    acknowledge(alert=alert, by=case.clinician, now=NOW)
    alert = report(case, "knee_locks", "calf_pain_swelling", now=NOW + timedelta(hours=1))
    assert Alert.objects.get() == alert
    assert (alert.level, alert.state, alert.acknowledged_by) == ("tier_1", "open", None)
    assert [entry["code"] for entry in alert.evidence] == ["knee_locks", "calf_pain_swelling"]
    assert told() == ["physio@example.org", "physio@example.org"]


def test_without_a_program_the_alert_stands_alone(case):
    assert report(case).state == "open"
    assert not Hold.objects.exists()


def test_an_unknown_code_is_refused_and_nothing_is_written(case):
    with pytest.raises(ValueError, match="itch"):
        report(case, "itch")
    assert not Alert.objects.exists()
    assert told() == []


def test_clearing_needs_a_finding_and_ends_the_hold(case):
    program = make_program(case)
    alert = report(case)
    with pytest.raises(AlertError) as error:
        clear(alert=alert, by=case.clinician, finding=" ", now=NOW)
    assert error.value.field == "finding"
    assert Hold.objects.get(program=program).cleared_at is None

    cleared = clear(alert=alert, by=case.clinician, finding="No block, McMurray negative", now=NOW)
    hold = Hold.objects.get(program=program)
    assert (cleared.state, cleared.resolved_by, cleared.outcome) == (
        "resolved",
        case.clinician,
        "No block, McMurray negative",
    )
    assert (hold.cleared_at, hold.cleared_by, hold.finding) == (
        NOW,
        case.clinician,
        "No block, McMurray negative",
    )


@pytest.mark.parametrize("role", [Role.ASSISTANT, None])
def test_only_a_physio_or_owner_clears(case, role):
    alert = report(case)
    with pytest.raises(Denied):
        clear(alert=alert, by=make_user(role=role, clinic=case.clinic), finding="fine", now=NOW)
    alert.refresh_from_db()
    assert (alert.state, alert.outcome) == ("open", "")


def test_a_red_flag_cannot_be_snoozed_or_resolved_around_its_finding(case):
    alert = report(case)
    with pytest.raises(AlertError):
        snooze(alert=alert, by=case.clinician, until=TODAY + timedelta(days=7), now=NOW, today=TODAY)
    with pytest.raises(AlertError):
        resolve(alert=alert, by=case.clinician, outcome="ok", now=NOW, today=TODAY)
    alert.refresh_from_db()
    assert alert.state == "open"


def test_a_cleared_flag_does_not_raise_again_while_it_is_the_same(case):
    clear(alert=report(case), by=case.clinician, finding="Clicking only", now=NOW)
    answer(case, "knee_locks", at=NOW + timedelta(days=2))
    assert report(case, now=NOW + timedelta(days=4)) is None
    assert Alert.objects.unresolved().count() == 0
    assert told() == ["physio@example.org"]


def test_a_cleared_flag_raises_again_when_it_is_worse(case):
    clear(alert=report(case), by=case.clinician, finding="Clicking only", now=NOW)
    again = report(case, now=NOW + timedelta(days=4), worse=["knee_locks"])
    assert again is not None
    assert again.state == "open"


def test_a_cleared_flag_raises_again_when_it_had_gone_and_comes_back(case):
    clear(alert=report(case), by=case.clinician, finding="Clicking only", now=NOW)
    answer(case, at=NOW + timedelta(days=2))
    assert report(case, now=NOW + timedelta(days=4)) is not None
    assert Alert.objects.count() == 2


def test_another_symptom_raises_after_one_was_cleared(case):
    clear(alert=report(case), by=case.clinician, finding="Clicking only", now=NOW)
    alert = report(case, "knee_locks", "calf_pain_swelling", now=NOW + timedelta(days=1))
    assert [entry["code"] for entry in alert.evidence] == ["calf_pain_swelling"]


# NOW is Monday 09:00 UTC; the clinic, in UTC, is open 8:00-18:00 and escalates after 4 clinic hours.


def test_the_owner_is_told_after_four_clinic_hours_without_acknowledgement(case):
    alert = report(case)
    assert escalate_due(now=NOW + timedelta(hours=3, minutes=59)) == 0
    assert told("escalation") == []
    assert escalate_due(now=NOW + timedelta(hours=4)) == 1
    assert escalate_due(now=NOW + timedelta(hours=5)) == 0
    assert told("escalation") == ["owner@example.org"]
    alert.refresh_from_db()
    assert alert.escalated_at == NOW + timedelta(hours=4)


def test_an_acknowledged_flag_is_not_escalated(case):
    acknowledge(alert=report(case), by=case.clinician, now=NOW + timedelta(hours=1))
    assert escalate_due(now=NOW + timedelta(days=3)) == 0
    assert told("escalation") == []


def test_a_flag_of_friday_evening_is_escalated_on_monday(case):
    friday_1700 = NOW + timedelta(days=4, hours=8)
    report(case, now=friday_1700)
    assert escalate_due(now=friday_1700 + timedelta(days=2)) == 0
    assert escalate_due(now=NOW + timedelta(days=7, hours=2)) == 1


def test_a_bounced_address_is_escalated_without_waiting(case):
    report(case)
    OutboxMessage.objects.update(bounced=True, state="dead")
    assert escalate_due(now=NOW + timedelta(minutes=1)) == 1
    assert told("escalation") == ["owner@example.org"]


def test_a_second_escalation_of_the_same_flag_is_mailed_too(case):
    alert = report(case)
    assert escalate_due(now=NOW + timedelta(hours=5)) == 1
    acknowledge(alert=alert, by=case.clinician, now=NOW + timedelta(hours=6))
    report(case, "chest_pain_breathlessness", now=NOW + timedelta(days=1))
    assert escalate_due(now=NOW + timedelta(days=1, hours=5)) == 1
    assert told("escalation") == ["owner@example.org", "owner@example.org"]


def test_a_sweep_that_has_no_time_escalates_one_flag_after_the_other(case):
    newer = report(make_case(case.clinic, clinician=case.clinician), now=NOW + timedelta(minutes=1))
    oldest, later = report(case), NOW + timedelta(hours=6)
    report(make_case(case.clinic, clinician=case.clinician), now=NOW + timedelta(minutes=2))

    assert escalate_due(now=later, limit=timedelta(0)) == 1
    for alert in (newer, oldest):
        alert.refresh_from_db()
    assert (newer.escalated_at, oldest.escalated_at) == (None, later)
    assert [escalate_due(now=later, limit=timedelta(0)) for _ in range(3)] == [1, 1, 0]


def test_one_flag_that_cannot_be_escalated_does_not_stop_the_others(case):
    broken = make_case(make_clinic(timezone="UTC"))
    make_user("other-owner@example.org", role=Role.OWNER, clinic=broken.clinic)
    first = report(broken)
    report(case)
    Alert.objects.filter(pk=first.pk).update(level="no such tier", opened_at=NOW - timedelta(days=1))
    with pytest.raises(EscalationError, match="1 red flags"):
        escalate_due(now=NOW + timedelta(hours=5))
    assert told("escalation") == ["owner@example.org"]


@pytest.mark.parametrize(
    ("act", "words"), [(clear, {"finding": "Clicking"}), (acknowledge, {})], ids=["clear", "acknowledge"]
)
def test_what_came_after_the_page_was_shown_is_neither_cleared_nor_acknowledged(case, act, words):
    alert = report(case)
    seen = len(alert.evidence)
    report(case, "chest_pain_breathlessness", now=NOW + timedelta(minutes=1))
    with pytest.raises(AlertError, match="New symptoms"):
        act(alert=alert, by=case.clinician, now=NOW, seen=seen, **words)
    alert.refresh_from_db()
    assert alert.state == "open"
    assert clear(alert=alert, by=case.clinician, finding="Both checked", now=NOW, seen=2).state == "resolved"


def test_raising_and_clearing_have_todays_verdict_made_again(case):
    program = make_program(case, next_review_on=TODAY + timedelta(days=1))
    alert = report(case)
    program.refresh_from_db()
    assert program.next_review_on == TODAY
    type(program).objects.update(next_review_on=TODAY + timedelta(days=1))
    clear(alert=alert, by=case.clinician, finding="Fine", now=NOW)
    program.refresh_from_db()
    assert program.next_review_on == TODAY


def test_however_many_symptoms_are_added_alert_and_history_take_them(case):
    report(case)
    every = [symptom.value for symptom in Symptom]
    alert = report(case, *every, now=NOW + timedelta(hours=1))
    assert sorted(entry["code"] for entry in alert.evidence) == sorted(every)
    note = alert.events.get(what="new_evidence").note
    assert (len(alert.summary), len(note)) == (500, 500)
