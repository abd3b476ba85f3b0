"""The way into the admin: password, second factor, enrolment, and a forgotten password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from clinic.accounts import factors, passkeys, resets, sessions, sign_in
from clinic.accounts.changes import tell_of_change
from clinic.accounts.limits import LimitedError
from clinic.admin.factors import CodeForm, NewFactorForm, new_factor, offer, origin_of
from clinic.admin.forms import dress
from clinic.models import User
from clinic.network import counted_address

TEMPLATES = "admin/clinic/entry"
KNOWN_EMAIL = "known_email"
"""In the session of who has just set a password: they need not type the e-mail."""

LATER = (
    "An e-mail with a link is on its way, if this address signs in here. The link is good for an hour. "
    "Nothing there? Look into the spam folder."
)

WHY = {
    "idle": "You were signed out because nothing was done for {idle} minutes. Sign in to go on where you "
    "were.",
    "age": "You were signed out {hours} hours after you signed in. Sign in to go on where you were.",
    "ended": "Your session was ended: your password, your role or your clinic changed, or you signed out "
    "everywhere. Sign in again.",
    "confirm": "Sign in once more: who changes how an account is protected must have shown who they are.",
    "slow": "That took too long. Start again with your password.",
    "reset": "Your password is set. Sign in with it.",
}


class SignInForm(forms.Form):
    username = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=UnfoldAdminTextInputWidget(
            attrs={"type": "email", "autocomplete": "username", "autofocus": True}
        ),
    )
    password = forms.CharField(
        strip=False,
        max_length=4096,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )


class AskForResetForm(forms.Form):
    email = forms.EmailField(label="E-mail", max_length=254)


class NewPasswordForm(forms.Form):
    secret = forms.CharField(max_length=200, widget=forms.HiddenInput(attrs={"data-from-hash": ""}))
    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=4096,
        help_text=" ".join(password_validators_help_texts()),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "autofocus": True}),
    )


def log_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password; what is wrong with them is told to nobody."""
    next_url = _safe(request, request.POST.get("next") or request.GET.get("next") or "")
    if request.user.is_authenticated:
        return HttpResponseRedirect(next_url)
    known = {"username": request.session.get(KNOWN_EMAIL, "")}
    form, now, wait = SignInForm(request.POST or None, initial=known), timezone.now(), 0
    if form.is_bound and form.is_valid():
        found: list[User] = []
        wait = _tried(
            form,
            lambda: found.append(
                sign_in.check_password(
                    email=form.cleaned_data["username"],
                    password=form.cleaned_data["password"],
                    address=counted_address(request),
                    now=now,
                )
            ),
        )
        if found:
            sessions.begin(request, user=found[0], next_url=next_url, now=now)
            enrolled = factors.is_enrolled(found[0])
            return HttpResponseRedirect(reverse("second-factor" if enrolled else "enrol"))
    why = WHY.get(request.GET.get("why", ""), "")
    told = why.format(idle=settings.STAFF_IDLE_MINUTES, hours=settings.STAFF_SESSION_HOURS)
    return _page(request, "log_in", form, title="Log in", wait=wait, next=next_url, told=told)


def second_factor(request: HttpRequest) -> HttpResponse:
    """A code, or a passkey, of the one whose password was right."""
    now = timezone.now()
    user = sessions.pending_user(request, now=now)
    if user is None:
        return to_login(request, why="slow")
    if not factors.is_enrolled(user):
        return HttpResponseRedirect(reverse("enrol"))
    kept, form, wait = sessions.pending(request), CodeForm(request.POST or None), 0
    if request.method == "POST":
        who: dict[str, Any] = {"user": user, "address": counted_address(request), "now": now}
        if answer := request.POST.get("passkey"):
            form = CodeForm()
            state, origin = kept.pop("challenge", {}), origin_of(request)
            wait, done = _judged(
                form, lambda: sign_in.check_passkey(**who, origin=origin, state=state, answer=answer)
            )
        else:
            wait, done = _judged(form, lambda: sign_in.check_code(**who, code=form.cleaned_data["code"]))
        if done:
            by = "passkey" if answer else "code"
            return HttpResponseRedirect(_safe(request, sessions.enter(request, user=user, by=by, now=now)))
    asked = passkeys.ask_to_confirm(user=user, origin=origin_of(request))
    kept["challenge"] = asked.state if asked else {}
    options = asked.options if asked else None
    return _page(request, "second_factor", form, title="Confirm that it's you", wait=wait, passkey=options)


def enrol(request: HttpRequest) -> HttpResponse:
    """The first second factor, right after the first password; then recovery codes, shown once."""
    now = timezone.now()
    user = sessions.pending_user(request, now=now)
    if user is None:
        return to_login(request, why="slow")
    if factors.is_enrolled(user):
        return HttpResponseRedirect(reverse("second-factor"))
    kept = sessions.pending(request)
    form = NewFactorForm(request.POST if request.method == "POST" else None)
    if form.is_bound and (factor := new_factor(request, form, user=user, kept=kept, now=now)):
        codes = factors.new_recovery_codes(user=user, now=now)
        next_url = _safe(request, sessions.enter(request, user=user, by="enrolment", now=now))
        what = f"A second factor was set up: {factor}."
        tell_of_change(user, what, address=counted_address(request), now=now)
        return recovery_page(request, codes, next_url)
    return _page(
        request,
        "enrol",
        form,
        title="Protect your account",
        **offer(request, user=user, kept=kept),
    )


def ask_for_reset(request: HttpRequest) -> HttpResponse:
    """The same answer for every address."""
    form, wait, done = AskForResetForm(request.POST or None), 0, False
    if form.is_bound:
        wait, done = _judged(
            form,
            lambda: resets.ask_for_reset(
                email=form.cleaned_data["email"], address=counted_address(request), now=timezone.now()
            ),
        )
    return _page(request, "ask", form, title="Forgotten password", wait=wait, told=LATER if done else "")


def reset_password(request: HttpRequest) -> HttpResponse:
    """The link's token stands behind the #: who fetches the page alone, as mail scanners do, uses nothing."""
    form, wait = NewPasswordForm(request.POST or None), 0
    if form.is_bound:
        found: list[User] = []
        wait, _ = _judged(
            form,
            lambda: found.append(
                resets.reset_password(
                    **form.cleaned_data, address=counted_address(request), now=timezone.now()
                )
            ),
        )
        if found:
            request.session[KNOWN_EMAIL] = found[0].email
            return to_login(request, why="reset")
    return _page(request, "new_password", form, title="New password", wait=wait)


def recovery_page(request: HttpRequest, codes: list[str], next_url: str) -> HttpResponse:
    """Shown once, from memory: nobody can ask for them again."""
    return _page(
        request, "recovery", forms.Form(), title="Recovery codes", codes=codes, next=next_url, wait=0
    )


def to_login(request: HttpRequest, *, why: str, next_url: str = "") -> HttpResponse:
    query = {"why": why} | ({"next": next_url} if next_url else {})
    return HttpResponseRedirect(reverse("admin:login", query=query))


def _judged(form: forms.Form, act: Callable[[], object]) -> tuple[int, bool]:
    """Seconds to wait, and whether it was done."""
    if form.is_bound and not form.is_valid():
        return 0, False
    wait = _tried(form, act)
    return wait, not wait and not form.errors and not getattr(form, "refused", "")


def _tried(form: forms.Form, act: Callable[[], object]) -> int:
    """Do it; where it is refused the form says why. How many seconds to wait before the next try."""
    try:
        act()
    except LimitedError as error:
        _refuse(form, str(error))
        return error.seconds
    except ValidationError as error:
        form.add_error("password", error)
    except (
        sign_in.WrongCredentialsError,
        sign_in.WrongCodeError,
        passkeys.PasskeyError,
        resets.ResetError,
    ) as error:
        _refuse(form, str(error))
    return 0


def _refuse(form: forms.Form, message: str) -> None:
    form.refused = message  # type: ignore[attr-defined]  # also where a form has no data of its own


def _safe(request: HttpRequest, url: str) -> str:
    """Only within this service."""
    allowed = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if allowed else reverse("admin:index")


def _page(
    request: HttpRequest, template: str, form: forms.Form, *, title: str, wait: int = 0, **context: Any
) -> HttpResponse:
    dress(form)
    known = {**admin.site.each_context(request), "title": title, "form": form, **context}
    response = TemplateResponse(request, f"{TEMPLATES}/{template}.html", known)
    if wait:
        response.status_code, response["Retry-After"] = 429, str(wait)
    return response


log_in, second_factor, enrol, ask_for_reset, reset_password = (
    never_cache(view) for view in (log_in, second_factor, enrol, ask_for_reset, reset_password)
)
