"""Who logs in, or is logged in: found before the database knows for whom the request works."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from clinic import row_security
from clinic.models import User


class LoginBackend(ModelBackend):
    """Django's, past the policies by one exact question each: this e-mail, this id."""

    def authenticate(self, request: HttpRequest | None, *args: Any, **credentials: Any) -> User | None:
        user = super().authenticate(request, *args, **credentials)
        if not isinstance(user, User):
            return None
        if request is not None:  # the login writes when it was, into the user's own row
            row_security.enter(row_security.Tenant(user=user.pk))
        return user

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.of_session(user_id)
        return user if user and self.user_can_authenticate(user) else None
