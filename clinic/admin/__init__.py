"""The admin's pages about clinics: who works there, by which rules, and what was sent."""

import django.contrib.auth.admin  # noqa: F401 - registers what is taken out below
from django.contrib import admin
from django.contrib.auth.models import Group

from clinic.admin import attempts, break_glass, clinics, outbox, policy, staff, sweeps

__all__ = ["attempts", "break_glass", "clinics", "outbox", "policy", "staff", "sweeps"]

admin.site.unregister(Group)  # roles are memberships
