"""The clinic itself: who works there, its policy, and the token that asks."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import services
from clinic.accounts.tokens import revoke_token
from clinic.api.serializers import StrictSerializer
from clinic.models import Clinic, Membership, StaffToken
from clinic.roles import Capability, Role
from clinic.thresholds import DEFAULTS, FIELDS, as_json, to_json
from programs.api.staff.base import PageQuery, StaffView, page_of
from programs.api.staff.cases import key
from programs.api.staff.schema import acted, edited, listed, read, told
from programs.services.policy import change_policy
from programs.services.policy_trial import Change, try_policy
from programs.services.staff import end_membership


class ClinicRecord(serializers.ModelSerializer[Clinic]):
    """What patients are told of it; changed in the admin."""

    emergency_number = serializers.CharField(
        source="emergency", help_text="The country's, unless the clinic has another."
    )

    class Meta:
        model = Clinic
        fields = ("name", "phone", "emergency_number", "timezone", "country")


class ClinicView(StaffView):
    reads = Capability.READ_STATE

    @read("clinic.read", "The clinic of the token", ClinicRecord)
    def get(self, request: Request) -> Response:
        return self.answer(ClinicRecord(self.clinic).data)


class MemberRecord(serializers.ModelSerializer[Membership]):
    """A member of staff. The e-mail is null for who does not manage the clinic."""

    user = serializers.IntegerField(source="user_id", help_text="Named as `clinician` elsewhere.")
    name = serializers.CharField(source="user.get_full_name")
    email = serializers.EmailField(source="user.email", allow_null=True)
    arrived = serializers.SerializerMethodField(help_text="Has signed in: cases wait until then.")

    class Meta:
        model = Membership
        fields = (
            *("id", "user", "name", "email", "role", "is_active", "arrived", "cover"),
            *("digest_weekday", "digest_time"),
        )

    def get_arrived(self, member: Membership) -> bool:
        return member.arrived_at is not None

    def to_representation(self, member: Membership) -> dict[str, Any]:
        data = super().to_representation(member)
        if not self.context["view"].user.may(Capability.MANAGE_CLINIC, member.clinic_id):
            data["email"] = None
        return data


class MemberEdit(StrictSerializer):
    """Your own, or by an owner anybody's. The role is changed in the admin alone."""

    cover = key("Told of red flags at the same time.", required=False, allow_null=True)
    digest_weekday = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=7,
        help_text="Monday = 1. Null: as the clinic.",
    )
    digest_time = serializers.TimeField(
        required=False, allow_null=True, help_text="Of the clinic. Null: as the clinic."
    )


class LeaveInput(StrictSerializer):
    hand_over_to = key("Who treats their open cases from now on; needed if there are any.", required=False)


class StaffQuery(PageQuery):
    """Which members."""

    role = serializers.ChoiceField(choices=[(role.value, role.label) for role in Role], required=False)
    active = serializers.BooleanField(required=False)


class MembersBase(StaffView):
    reads = acts = Capability.READ_STATE

    def all(self) -> QuerySet[Any]:
        return Membership.objects.select_related("user", "clinic", "cover")

    def shown(self, member: Membership) -> Any:
        return MemberRecord(member, context={"view": self}).data


class MembersView(MembersBase):
    query = StaffQuery

    @listed("staff.list", "Who works here", page_of(MemberRecord), StaffQuery)
    def get(self, request: Request) -> Response:
        asked, rows = self.asked.validated_data, self.all()
        if "role" in asked:
            rows = rows.filter(role=asked["role"])
        if "active" in asked:
            rows = rows.filter(is_active=asked["active"], user__is_active=True)
        return self.page(rows, MemberRecord)


class MemberView(MembersBase):
    @read("staff.read", "A member of staff", MemberRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(self.all(), pk)))

    @edited("staff.edit", "Set cover and digest", MemberEdit, MemberRecord)
    def patch(self, request: Request, pk: str) -> Response:
        body = self.body(MemberEdit)
        member = self.edit(pk, self.all(), self.shown)
        if (cover := body.get("cover")) is not None:
            body["cover"] = self.member("cover", cover)
        present = {name: getattr(member, name) for name in ("cover", "digest_weekday", "digest_time")}
        services.set_reachability(membership=member, by=self.user, **present | body)
        return self.answer(self.shown(self.find(self.all(), pk)))


class LeaveView(MembersBase):
    acts = Capability.MANAGE_CLINIC

    @acted("staff.leave", "They work here no more", LeaveInput, MemberRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body, member = self.body(LeaveInput), self.find(self.all(), pk)
        to = self.member("hand_over_to", body["hand_over_to"]) if "hand_over_to" in body else None
        end_membership(membership=member, by=self.user, hand_over_to=to, now=self.now)
        return self.answer(self.shown(self.find(self.all(), pk)))


class ThresholdRecord(serializers.Serializer[Any]):
    """One threshold: what holds here, what would by default, and where it comes from."""

    key = serializers.CharField()
    label = serializers.CharField()
    group = serializers.CharField()
    unit = serializers.CharField()
    value = serializers.JSONField()
    default = serializers.JSONField()
    source = serializers.CharField()
    conflict = serializers.CharField(help_text="The positions it decides between; may be empty.")


class PolicyRecord(serializers.Serializer[Any]):
    own_cases_only = serializers.BooleanField(help_text="A physio sees only the cases they treat.")
    thresholds = ThresholdRecord(many=True)


class PolicyInput(StrictSerializer):
    """What changes. A threshold that is not named stays; one set to its default follows the default again."""

    own_cases_only = serializers.BooleanField(required=False)
    values = serializers.DictField(default=dict, help_text="Threshold to value.")


class TrialInput(StrictSerializer):
    values = serializers.DictField(help_text="Threshold to value; those not named stay as they are.")


class ChangeRecord(serializers.Serializer[Change]):
    case = serializers.IntegerField(source="episode.pk")
    case_number = serializers.CharField(source="episode.case_number")
    kind = serializers.CharField(source="kind.value")
    before = serializers.DateField(source="before.on", allow_null=True, default=None)
    before_stalled = serializers.DateField(source="before.stalled_on", allow_null=True, default=None)
    after = serializers.DateField(source="after.on", allow_null=True, default=None)
    after_stalled = serializers.DateField(source="after.stalled_on", allow_null=True, default=None)
    why = serializers.CharField()


class TrialRecord(serializers.Serializer[Any]):
    """The last 90 days with the values tried, against the present ones."""

    programs = serializers.IntegerField(help_text="Looked at.")
    left_out = serializers.IntegerField(help_text="Too many to look at.")
    more = ChangeRecord(many=True, help_text="Alerted on with the new values only.")
    fewer = ChangeRecord(many=True, help_text="With the present ones only.")
    moved = ChangeRecord(many=True, help_text="With both, first or called stalled on another day.")
    same = serializers.IntegerField(help_text="The other alerts.")


class PolicyBase(StaffView):
    reads = acts = Capability.MANAGE_CLINIC

    def present(self) -> Any:
        """As it stands, whatever this request began with."""
        return self.shown(Clinic.objects.select_related("policy").get(pk=self.clinic.pk))

    def shown(self, clinic: Clinic) -> Any:
        in_force = clinic.thresholds()
        rows = [
            {
                "key": key,
                **{name: field.metadata[name] for name in ("label", "group", "unit", "source", "conflict")},
                "value": to_json(getattr(in_force, key)),
                "default": to_json(getattr(DEFAULTS, key)),
            }
            for key, field in FIELDS.items()
        ]
        return PolicyRecord({"own_cases_only": clinic.policy.own_cases_only, "thresholds": rows}).data

    def merged(self, values: dict[str, Any]) -> dict[str, Any]:
        """The present thresholds with these in their place."""
        return as_json(self.clinic.thresholds()) | values


class PolicyView(PolicyBase):
    @read("policy.read", "The clinic's policy, with default and source of each threshold", PolicyRecord)
    def get(self, request: Request) -> Response:
        return self.answer(self.present())

    @edited("policy.edit", "Change the policy", PolicyInput, PolicyRecord)
    def patch(self, request: Request) -> Response:
        body = self.body(PolicyInput)
        clinic = self.edit(str(self.clinic.pk), Clinic.objects.select_related("policy"), self.shown)
        own_only = body.get("own_cases_only", clinic.policy.own_cases_only)
        values = as_json(clinic.thresholds()) | body["values"]
        change_policy(clinic=clinic, by=self.user, values=values, own_cases_only=own_only)
        return self.answer(self.present())


class TrialView(PolicyBase):
    only_reads = True

    @acted("policy.try", "What these values would have done to the last 90 days", TrialInput, TrialRecord)
    def post(self, request: Request) -> Response:
        values = self.merged(self.body(TrialInput)["values"])
        today = self.now.astimezone(self.zone).date()
        trial = try_policy(clinic=self.clinic, by=self.user, values=values, today=today)
        return Response(TrialRecord(trial).data)


class TokenRecord(serializers.ModelSerializer[StaffToken]):
    """The token that asks, and whose it is."""

    clinic = serializers.CharField(source="clinic.name")
    member = serializers.IntegerField(source="user_id")
    name_of_member = serializers.CharField(source="user.get_full_name")
    role = serializers.SerializerMethodField()

    class Meta:
        model = StaffToken
        fields = ("name", "clinic", "member", "name_of_member", "role", "writes", "created_at", "expires_at")

    def get_role(self, token: StaffToken) -> str:
        return str(token.user.active_memberships[0].role)


class TokenView(StaffView):
    reads = acts = Capability.READ_STATE
    only_reads = True  # a token that only reads may end itself

    @told("token.read", "The token that asks, and whose it is", TokenRecord)
    def get(self, request: Request) -> Response:
        return Response(TokenRecord(request.auth).data)

    @acted("token.revoke", "End this token", None, None, code=204)
    def delete(self, request: Request) -> Response:
        revoke_token(user=self.user, pk=request.auth.pk)
        return Response(status=204)
