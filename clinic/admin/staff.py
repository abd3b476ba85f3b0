"""Staff: an owner adds members and sets roles; everybody sets their own cover and digest."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from clinic import services
from clinic.absences import still_to_come
from clinic.admin.actions import Act, act_on
from clinic.admin.base import RoleAdmin, clinics_where
from clinic.admin.forms import WEEKDAYS
from clinic.models import Clinic, Membership, User
from clinic.roles import CLINICIAN_ROLES, Capability, Role

NOT_YET = "Not signed in yet"
STAFF_LIST = "admin:clinic_membership_changelist"


class AddMember(Act):
    model = Clinic
    needs = Capability.MANAGE_CLINIC
    title = "Add a member of staff"
    submit = "Add"
    intro = "They get an e-mail with a link: to choose a password, or to sign in with the one they have."

    email = forms.EmailField(label="E-mail", max_length=254)
    name = forms.CharField(max_length=200)
    role = forms.ChoiceField(choices=[(role.value, role.label) for role in Role], initial=Role.PHYSIO.value)

    def perform(self) -> str:
        data = self.cleaned_data
        member = services.add_member(clinic=self.target, by=self.by, now=self.now, **data)
        role = member.get_role_display().lower()
        return f"{data['name']} is now {role}. The way in is on its way to {member.user.email}."

    def next_url(self) -> str:
        return reverse(STAFF_LIST)


class Reachability(Act):
    """Cover and digest, which the member themselves may set."""

    model = Membership
    needs = Capability.READ_STATE
    title = "Your cover and digest"
    template = "admin/clinic/reachability.html"

    cover = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        empty_label="Nobody",
        help_text="Told of red flags at the same time.",
    )
    digest_weekday = forms.TypedChoiceField(
        label="Digest on",
        choices=[("", "As the clinic"), *WEEKDAYS],
        coerce=int,
        empty_value=None,
        required=False,
    )
    digest_time = forms.TimeField(
        label="Digest at", required=False, help_text="Local time of the clinic. Empty: as the clinic."
    )

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).filter(user=user)

    def prepare(self) -> None:
        member: Membership = self.target
        treating = Membership.objects.clinicians().filter(clinic=member.clinic).exclude(pk=member.pk)
        self.fields["cover"].queryset = User.objects.filter(memberships__in=treating)  # type: ignore[attr-defined]
        self.initial |= {
            "cover": member.cover_id,
            "digest_weekday": member.digest_weekday,
            "digest_time": member.digest_time.strftime("%H:%M") if member.digest_time else None,
        }

    def about(self) -> str:
        return str(self.target.clinic)

    def context(self) -> dict[str, Any]:
        member: Membership = self.target
        coming = still_to_come(clinic_id=member.clinic_id, today=self.today).get(member.user_id, [])
        return {
            "absences": coming,
            "member": member,
            "today": self.today,
            "treats": member.role in CLINICIAN_ROLES,
        }

    def perform(self) -> str:
        services.set_reachability(membership=self.target, by=self.by, **self.cleaned_data)
        return "Saved."

    def next_url(self) -> str:
        return reverse("admin:index")


class ChangeMember(Reachability):
    needs = Capability.MANAGE_CLINIC
    title = "Member of staff"

    role = forms.ChoiceField(choices=[(role.value, role.label) for role in Role])
    is_active = forms.BooleanField(
        label="Works here", required=False, help_text="Off: no access; what they did stays on record."
    )
    field_order = ("role", "is_active", "cover", "digest_weekday", "digest_time")

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super(Reachability, cls).rows(user).select_related("user", "clinic")

    def prepare(self) -> None:
        super().prepare()
        self.initial |= {"role": self.target.role, "is_active": self.target.is_active}

    def about(self) -> str:
        return f"{self.target.user}, {self.target.user.email}"

    def next_url(self) -> str:
        return reverse(STAFF_LIST)


class MembershipAdmin(RoleAdmin):
    """Registered where the cases are known that members treat."""

    change_act: type[ChangeMember]
    view_needs = add_needs = change_needs = Capability.MANAGE_CLINIC
    list_display = ("person", "email", "role_name", "works_here", "cover", "digest")
    list_select_related = ("user", "cover", "clinic")
    search_fields = ("user__name", "user__email")
    list_filter = ("role", "is_active")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [path("me/", view(self.my_settings), name="clinic_membership_me"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        user = request.user
        owned = clinics_where(user, Capability.MANAGE_CLINIC) if isinstance(user, User) else []
        if not owned:
            raise PermissionDenied
        clinic = request.GET.get("clinic", str(owned[0]))
        return act_on(request, AddMember, clinic, self.admin_site)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return act_on(request, self.change_act, object_id, self.admin_site)

    def my_settings(self, request: HttpRequest) -> HttpResponse:
        """Each member's own; without ``member`` that of the first clinic."""
        memberships = request.user.active_memberships if isinstance(request.user, User) else []
        if not memberships:
            raise Http404
        member = request.GET.get("member")
        if member is None:
            return HttpResponseRedirect(f"{request.path}?member={memberships[0].pk}")
        return act_on(request, Reachability, member, self.admin_site)

    @display(description="Name", ordering="user__name")
    def person(self, member: Membership) -> str:
        return str(member.user)

    @display(description="E-mail", ordering="user__email")
    def email(self, member: Membership) -> str:
        return member.user.email

    @display(description="Role", label={"Owner": "primary", "Physio": "info"})
    def role_name(self, member: Membership) -> str:
        return member.get_role_display()

    @display(description="Works here", label={"Yes": "success", "No": "danger", NOT_YET: "warning"})
    def works_here(self, member: Membership) -> str:
        if not member.is_active:
            return "No"
        return "Yes" if member.arrived_at else NOT_YET

    @display(description="Digest")
    def digest(self, member: Membership) -> str:
        day = dict(WEEKDAYS).get(member.digest_weekday or 0, "")
        at = member.digest_time.strftime("%H:%M") if member.digest_time else ""
        return " ".join(part for part in (day, at) if part) or "As the clinic"
