"""The patient page: one page tells the case."""

from programs.admin.patient_page.alerts import AlertCard, alert_card
from programs.admin.patient_page.page import PatientPage, build_page

__all__ = ["AlertCard", "PatientPage", "alert_card", "build_page"]
