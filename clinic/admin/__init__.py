"""The admin's pages about clinics: who works there, by which rules, and what was sent."""

from clinic.admin import break_glass, clinics, outbox, policy, staff, sweeps

__all__ = ["break_glass", "clinics", "outbox", "policy", "staff", "sweeps"]
