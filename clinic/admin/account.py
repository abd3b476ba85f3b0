"""A member's own account: second factors, recovery codes, sessions. For who has just shown who they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from clinic.accounts import factors, sessions
from clinic.accounts.changes import tell_of_change
from clinic.accounts.models import Factor
from clinic.admin.entry import recovery_page, to_login
from clinic.admin.factors import NewFactorForm, new_factor, offer
from clinic.admin.forms import dress
from clinic.models import User
from clinic.network import counted_address

type View = Callable[..., HttpResponse]

ADDING = "adding"
"""What the session keeps while a factor is set up."""


def own(view: View) -> View:
    """For staff who signed in a moment ago; others confirm that it is them, and come back."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if sessions.is_fresh(request, now=timezone.now()):
            return view(request, *args, **kwargs)
        logout(request)
        return to_login(request, why="confirm", next_url=reverse("account"))

    return admin.site.admin_view(checked)


@own
def account(request: HttpRequest) -> HttpResponse:
    found = list(factors.factors_of(_user(request)))
    context = {
        "factors": [factor for factor in found if factor.kind != Factor.Kind.RECOVERY],
        "codes_left": sum(f.kind == Factor.Kind.RECOVERY and f.last_used_at is None for f in found),
    }
    return _page(request, "account", "Sign-in and security", **context)


@own
def add_factor(request: HttpRequest) -> HttpResponse:
    user, now = _user(request), timezone.now()
    form = NewFactorForm(request.POST if request.method == "POST" else None)
    kept: dict[str, Any] = request.session.get(ADDING, {})
    if form.is_bound and (factor := new_factor(request, form, user=user, kept=kept, now=now)):
        request.session.pop(ADDING, None)
        return _changed(request, f"A second factor was added: {factor}.")
    dress(form)
    context = offer(request, user=user, kept=kept)
    request.session[ADDING] = kept
    return _page(request, "add_factor", "Add a second factor", form=form, **context)


@require_POST
@own
def remove_factor(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        name = factors.remove_factor(user=_user(request), pk=pk)
    except Factor.DoesNotExist:
        raise Http404 from None
    except factors.LastFactorError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("account"))
    return _changed(request, f"A second factor was removed: {name}.")


@require_POST
@own
def new_recovery_codes(request: HttpRequest) -> HttpResponse:
    codes = factors.new_recovery_codes(user=_user(request), now=timezone.now())
    _changed(request, "New recovery codes were made.")
    return recovery_page(request, codes, reverse("account"))


@require_POST
@own
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    sessions.end_others(request, user=_user(request))
    messages.success(request, "You are signed out everywhere else.")
    return HttpResponseRedirect(reverse("account"))


def _changed(request: HttpRequest, what: str) -> HttpResponse:
    """Tell the user here, and at their address: it may not have been them."""
    tell_of_change(_user(request), what, address=counted_address(request), now=timezone.now())
    messages.success(request, what)
    return HttpResponseRedirect(reverse("account"))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    known = {**admin.site.each_context(request), "title": title, "form": forms.Form(), **context}
    return TemplateResponse(request, f"admin/clinic/{template}.html", known)
