"""A member's API tokens: made for one clinic, shown once, revoked at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from clinic.accounts import tokens
from clinic.accounts.changes import tell_of_change
from clinic.admin.account import own
from clinic.admin.forms import dress
from clinic.models import Membership, StaffToken, User
from clinic.network import counted_address

WAYS = [("read", "Read only"), ("write", "Read and write")]
LIVES = [(7, "7 days"), (30, "30 days"), (tokens.LONGEST_DAYS, f"{tokens.LONGEST_DAYS} days")]


class TokenForm(forms.Form):
    name = forms.CharField(label="Name it", max_length=60, help_text="After the tool that will use it.")
    clinic = forms.TypedChoiceField(coerce=int)
    may = forms.ChoiceField(label="It may", choices=WAYS, initial="read")
    days = forms.TypedChoiceField(label="It ends after", choices=LIVES, coerce=int, initial=30)

    def __init__(self, *args: Any, memberships: list[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.memberships = {m.pk: m for m in memberships}
        if len(memberships) == 1:
            del self.fields["clinic"]
        else:
            self.fields["clinic"].choices = [(m.pk, m.clinic.name) for m in memberships]  # type: ignore[attr-defined]
        dress(self)

    @property
    def membership(self) -> Membership:
        """The one chosen; the only one."""
        only = next(iter(self.memberships))
        return self.memberships[self.cleaned_data.get("clinic", only)]


@own
@sensitive_variables("text")
def api_tokens(request: HttpRequest) -> HttpResponse:
    """The tokens that open something, and a form for another; a new one's text is on this answer only."""
    user, now = _member(request), timezone.now()
    form = TokenForm(request.POST if request.method == "POST" else None, memberships=user.active_memberships)
    text = _made(request, form) if form.is_bound and form.is_valid() else ""
    context = {
        **admin.site.each_context(request),
        "title": "API tokens",
        "form": TokenForm(memberships=user.active_memberships) if text else form,
        "text": text,
        "tokens": tokens.tokens_of(user, now=now),
    }
    return TemplateResponse(request, "admin/clinic/tokens.html", context)


@require_POST
@own
def revoke_api_token(request: HttpRequest, pk: int) -> HttpResponse:
    user = _member(request)
    try:
        name = tokens.revoke_token(user=user, pk=pk)
    except StaffToken.DoesNotExist:
        raise Http404 from None
    what = f"The API token {name} was revoked."
    tell_of_change(user, what, address=counted_address(request), now=timezone.now())
    messages.success(request, what)
    return HttpResponseRedirect(reverse("account-tokens"))


@sensitive_variables("text")
def _made(request: HttpRequest, form: TokenForm) -> str:
    """The new token; nothing, with the form saying why, where it can't be made."""
    asked = form.cleaned_data
    try:
        _, text = tokens.make_token(
            membership=form.membership,
            name=asked["name"],
            writes=asked["may"] == "write",
            days=asked["days"],
            address=counted_address(request),
            now=timezone.now(),
        )
    except tokens.TokenError as error:
        form.add_error(error.field, error.message)
        return ""
    return text


def _member(request: HttpRequest) -> User:
    """Whoever works for a clinic; an operator has no record to reach."""
    user = request.user
    if not isinstance(user, User) or not user.active_memberships:
        raise PermissionDenied
    return user
