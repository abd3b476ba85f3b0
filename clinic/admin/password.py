"""A change of the own password: guesses of the old one count as at the door, and the account is told."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone
from unfold.forms import AdminOwnPasswordChangeForm

from clinic.accounts import sign_in
from clinic.accounts.changes import tell_of_change
from clinic.accounts.limits import LimitedError
from clinic.network import counted_address


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address, self.wait = address, 0

    def clean_old_password(self) -> str:
        password = str(self.cleaned_data["old_password"])
        try:
            sign_in.check_own_password(
                user=self.user, password=password, address=self.address, now=timezone.now()
            )
        except LimitedError as error:
            self.wait = error.seconds
            raise ValidationError(str(error)) from None
        except sign_in.WrongCredentialsError:
            raise ValidationError(self.error_messages["password_incorrect"]) from None
        return password


class ChangePassword(PasswordChangeView):
    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "address": counted_address(self.request)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}

    def form_valid(self, form: Form) -> HttpResponse:
        response = super().form_valid(form)
        tell_of_change(
            self.request.user,
            "Your password was changed.",
            address=counted_address(self.request),
            now=timezone.now(),
        )
        return response

    def form_invalid(self, form: Form) -> HttpResponse:
        response = super().form_invalid(form)
        if form.wait:
            response.status_code, response["Retry-After"] = 429, str(form.wait)
        return response


def change_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """In the place of the admin site's own, under its address and name."""
    return ChangePassword.as_view(extra_context=extra_context)(request)
