"""The admin's pages about patients, programs and alerts."""

from programs.admin import alerts, assessments, episodes, library, patients, policy, programs, staff

__all__ = ["alerts", "assessments", "episodes", "library", "patients", "policy", "programs", "staff"]
