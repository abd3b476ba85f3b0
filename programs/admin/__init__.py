"""The admin's pages about patients, programs and alerts."""

from programs.admin import alerts, assessments, library, patients, programs, staff

__all__ = ["alerts", "assessments", "library", "patients", "programs", "staff"]
