"""The admin's pages about clinics: who works there, by which rules, and what was sent."""

from clinic.admin import attempts, clinics, outbox, policy, staff, sweeps

__all__ = ["attempts", "clinics", "outbox", "policy", "staff", "sweeps"]
