"""Who logs in, or is logged in: found before the database knows for whom the request works."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import check_password_with_timing_attack_mitigation
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from clinic import row_security
from clinic.models import User


class LoginBackend(ModelBackend):
    """Django's, past the policies by one exact question each: this e-mail, this id."""

    def authenticate(  # type: ignore[override]  # Django's has no types
        self, request: HttpRequest | None, username: str = "", password: str = "", **_: Any
    ) -> User | None:
        user = User.objects.by_email(username)
        with row_security.acting_for(row_security.Tenant(user=user.pk if user else None)):
            # A hash of older parameters is replaced, in the user's own row.
            is_right = check_password_with_timing_attack_mitigation(user, password)
        if user is None or not is_right or not self.user_can_authenticate(user):
            return None
        if request is not None:  # the login writes when it was, there too
            row_security.enter(row_security.Tenant(user=user.pk))
        return user

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.of_session(user_id)
        return user if user and self.user_can_authenticate(user) else None
