"""Who may do what: the role table, once, for admin, API and services."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """A member's role in one clinic."""

    OWNER = "owner"
    PHYSIO = "physio"
    ASSISTANT = "assistant"

    @property
    def label(self) -> str:
        return self.value.capitalize()


class Capability(StrEnum):
    """One thing a role may or may not do."""

    MANAGE_CLINIC = "manage_clinic"  # staff and policy
    EXPORT = "export"
    ERASE = "erase"
    WRITE_CLINICAL = "write_clinical"  # assessments, programs, alerts, clearing a red flag
    READ_CLINICAL = "read_clinical"  # findings, answers, notes
    WRITE_CONTACT = "write_contact"  # contact data, invitations, logging a call
    READ_STATE = "read_state"  # who is doing well and who is not


_ASSISTANT = frozenset({Capability.WRITE_CONTACT, Capability.READ_STATE})
_PHYSIO = _ASSISTANT | {Capability.WRITE_CLINICAL, Capability.READ_CLINICAL}

CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.OWNER: frozenset(Capability),
    Role.PHYSIO: _PHYSIO,
    Role.ASSISTANT: _ASSISTANT,
}

READING = frozenset({Capability.READ_CLINICAL, Capability.READ_STATE})
"""What break-glass allows an operator."""

CLINICIAN_ROLES = (Role.OWNER, Role.PHYSIO)
"""An owner is a clinician too."""


class Denied(Exception):
    """The person may not do this in this clinic; nothing was changed."""


class Actor(Protocol):
    """Whoever acts: a user whose memberships say what they may do."""

    def may(self, capability: Capability, clinic_id: int | None = None) -> bool: ...


def require(actor: Actor, capability: Capability, clinic_id: int) -> None:
    """Raise Denied unless the actor has the capability in the clinic."""
    if not actor.may(capability, clinic_id):
        raise Denied(f"Your role in this clinic does not allow it ({capability.value.replace('_', ' ')}).")
