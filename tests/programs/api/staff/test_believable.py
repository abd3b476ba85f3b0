"""What can't be is refused by field over the API too: consent, phone, the day the pain began."""

from __future__ import annotations

from datetime import timedelta

from patients.models import Episode, Invitation, Patient
from programs.models import Program
from tests.api import Tool, fields_of
from tests.factories import TODAY, make_assessment, make_template


def test_nothing_is_sent_to_a_minor_without_a_guardians_consent(tool: Tool, case: Episode) -> None:
    Patient.objects.update(birth_date=TODAY.replace(year=TODAY.year - 13), guardian_name="Kim")
    make_assessment(case, hip_examined=True)
    draft = tool.post("programs/prepare", {"case": case.pk, "template": make_template().pk}).json()

    sent = tool.post(f"programs/{draft['id']}/send", {})
    invited = tool.post(f"patients/{case.patient_id}/invite")

    for refused in (sent, invited):
        assert (refused.status_code, fields_of(refused)) == (400, ["guardian_consented_on"])
        assert "fill in guardian consented on" in refused.json()["detail"]
    assert not Program.objects.exists()
    assert not Invitation.objects.exists()


def test_a_phone_without_digits_and_pain_still_to_begin_are_refused(tool: Tool, case: Episode) -> None:
    tomorrow = (TODAY + timedelta(days=2)).isoformat()
    path, person = f"cases/{case.pk}", f"patients/{case.patient_id}"
    known = Patient.objects.get().phone

    refused = tool.patch(person, {"phone": "abc"}, headers=tool.etag(person))
    assert (refused.status_code, fields_of(refused)) == (400, ["phone"])
    refused = tool.patch(path, {"onset_on": tomorrow}, headers=tool.etag(path))
    assert (refused.status_code, fields_of(refused)) == (400, ["onset_on"])

    assert Patient.objects.get().phone == known
    assert Episode.objects.get().onset_on is None
