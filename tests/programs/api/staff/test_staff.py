"""Staff by the API: cover and digest, and leaving. Who comes and who is what, is the admin's alone."""

from __future__ import annotations

import pytest

from clinic.models import Clinic, Membership, StaffToken, User
from clinic.roles import Role
from patients.models import Episode
from tests.api import Tool, bare, fields_of
from tests.enforced import enforced
from tests.factories import make_user

STAR = {"If-Match": "*"}


def member_of(user: User) -> Membership:
    found: Membership = Membership.objects.get(user=user)
    return found


def test_cover_and_digest_are_one_s_own_and_the_owner_s_to_set(
    tool: Tool, owner: Tool, physio: User, own: Clinic
) -> None:
    colleague = make_user(clinic=own)
    path = f"staff/{member_of(physio).pk}"
    values = {"cover": colleague.pk, "digest_weekday": 3, "digest_time": "06:30:00"}
    with enforced():
        read = owner.etag(path)
        done = tool.patch(path, values, headers=tool.etag(path))
        assert done.status_code == 200, done.content
        assert {name: done.json()[name] for name in values} == values
        assert owner.patch(path, {"digest_weekday": 1}, headers=read).status_code == 412
        set_by_owner = owner.patch(path, {"digest_weekday": None}, headers=owner.etag(path))
        assert (set_by_owner.status_code, set_by_owner.json()["cover"]) == (200, colleague.pk)
        assert tool.patch(path, {"cover": None}, headers=STAR).json()["cover"] is None
    assert tool.patch(path, {}).status_code == 428


def test_a_colleague_s_are_not(tool: Tool, assistant: Tool, own: Clinic, foreign: Episode) -> None:
    other = member_of(make_user(clinic=own))
    stranger = Membership.objects.filter(clinic=foreign.clinic).first()
    assert stranger is not None
    with enforced():
        for who in (tool, assistant):
            assert who.patch(f"staff/{other.pk}", {"digest_weekday": 2}, headers=STAR).status_code == 403
        found = tool.patch(f"staff/{stranger.pk}", {"digest_weekday": 2}, headers=STAR)
        none = tool.patch("staff/0", {"digest_weekday": 2}, headers=STAR)
        assert (found.status_code, bare(found)) == (404, bare(none))
    assert not Membership.objects.exclude(digest_weekday=None).exists()


@pytest.mark.parametrize(
    "wrong", [{"role": "owner"}, {"is_active": True}, {"digest_weekday": 8}, {"cover": 0}]
)
def test_a_role_is_no_tool_s_to_change(owner: Tool, physio: User, wrong: dict[str, object]) -> None:
    refused = owner.patch(f"staff/{member_of(physio).pk}", wrong, headers=STAR)
    assert (refused.status_code, fields_of(refused)) == (400, list(wrong))
    assert member_of(physio).role == Role.PHYSIO


def test_nobody_is_added_by_a_token(owner: Tool) -> None:
    before = Membership.objects.count()
    refused = owner.post("staff", {"email": "new@example.org", "name": "New", "role": "owner"})
    assert (refused.status_code, Membership.objects.count()) == (405, before)


def test_who_leaves_hands_over_and_their_tokens_end(
    owner: Tool, tool: Tool, physio: User, case: Episode
) -> None:
    path = f"staff/{member_of(physio).pk}/leave"
    colleague = make_user(clinic=case.clinic)
    with enforced():
        refused = owner.post(path, {})
        assert refused.status_code == 400, refused.content
        assert member_of(physio).is_active
        done = owner.post(path, {"hand_over_to": colleague.pk})
        assert (done.status_code, done.json()["is_active"]) == (200, False)
        assert tool.get("token").status_code == 401
        again = owner.post(path, {"hand_over_to": colleague.pk})
        assert (again.status_code, fields_of(again)) == (400, ["member"])
    case.refresh_from_db()
    assert case.clinician == colleague
    assert not StaffToken.objects.filter(user=physio).exists()


def test_no_token_locks_an_owner_out_and_no_physio_a_colleague(owner: Tool, tool: Tool, own: Clinic) -> None:
    other_owner = member_of(make_user(clinic=own, role=Role.OWNER))
    colleague = member_of(make_user(clinic=own))
    with enforced():
        refused = owner.post(f"staff/{other_owner.pk}/leave", {})
        assert (refused.status_code, fields_of(refused)) == (400, ["member"])
        assert tool.post(f"staff/{colleague.pk}/leave", {}).status_code == 403
    assert not Membership.objects.filter(is_active=False).exists()
