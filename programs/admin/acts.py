"""Every action of the admin on one row, by its name in the address ``do/<name>/<key>/``."""

from __future__ import annotations

from collections.abc import Mapping

from clinic.admin import absence_acts
from clinic.admin.actions import Act
from programs.admin import (
    alert_acts,
    assessment_acts,
    case_acts,
    draft_acts,
    export_acts,
    letter_acts,
    library_acts,
    outcome_acts,
    patient_acts,
    privacy_acts,
    program_acts,
)
from programs.admin.staff import HandOverCaseload
from programs.admin.suggestions import Prepare

ACTS: Mapping[str, type[Act]] = {
    "invite": patient_acts.Invite,
    "new-case": patient_acts.NewCase,
    "reassign": case_acts.Reassign,
    "discharge": case_acts.Discharge,
    "reopen": case_acts.Reopen,
    "end-watch": case_acts.EndWatch,
    "thresholds": case_acts.CasePolicy,
    "log-contact": case_acts.LogContact,
    "add-note": case_acts.AddNote,
    "groc": outcome_acts.AskGroc,
    "copy-template": library_acts.CopyTemplate,
    "copy-exercise": library_acts.CopyExercise,
    "export-template": library_acts.ExportTemplate,
    "clip": library_acts.SetClip,
    "assign": Prepare,
    "send": draft_acts.SendProgram,
    "discard": draft_acts.Discard,
    "addendum": assessment_acts.AddAddendum,
    "raise-flag": assessment_acts.RaiseFlag,
    "move-stage": program_acts.MoveStage,
    "apply-proposal": program_acts.ApplyProposal,
    "running": program_acts.ChangeRunning,
    "pause": program_acts.PauseProgram,
    "edit-pause": program_acts.EditPause,
    "cancel-pause": program_acts.CancelPause,
    "resume": program_acts.Resume,
    "fair-trial": program_acts.FairTrial,
    "wake": program_acts.Wake,
    "acknowledge": alert_acts.Acknowledge,
    "snooze": alert_acts.Snooze,
    "resolve": alert_acts.Resolve,
    "clear": alert_acts.Clear,
    "export": privacy_acts.ExportPatient,
    "erase": privacy_acts.ErasePatient,
    "export-case": export_acts.ExportCase,
    "export-caseload": export_acts.ExportCaseload,
    "letter": letter_acts.WriteLetter,
    "hand-over": alert_acts.HandOver,
    "hand-over-caseload": HandOverCaseload,
    "absence": absence_acts.PlanAbsence,
    "end-absence": absence_acts.EndAbsence,
    "open-record": privacy_acts.OpenRecord,
}
