"""Every act: it shows its page, and is refused to those who may not."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.db import models
from django.urls import reverse

from clinic.models import Absence, Membership, OutboxMessage
from patients.models import (
    Addendum,
    Episode,
    Invitation,
    OutcomeScore,
    Patient,
    PrivacyEvent,
)
from programs.admin.acts import ACTS
from programs.models import (
    Alert,
    AlertEvent,
    ContactLog,
    Exercise,
    Hold,
    Letter,
    LoadDecision,
    Pause,
    Program,
    RelapseWatch,
    StageMove,
    Template,
)
from tests.programs.admin.acting import act, case_of, url_of

pytestmark = pytest.mark.django_db


FOR_ASSISTANTS = {"invite", "log-contact"}


CHANGED_BY_ACTS: list[type[models.Model]] = [
    Absence,
    Addendum,
    Alert,
    AlertEvent,
    ContactLog,
    Episode,
    Exercise,
    Hold,
    Invitation,
    Letter,
    Membership,
    OutboxMessage,
    OutcomeScore,
    Patient,
    Pause,
    PrivacyEvent,
    Program,
    LoadDecision,
    RelapseWatch,
    StageMove,
    Template,
]


def snapshot() -> list[list[tuple[Any, ...]]]:
    return [list(model._base_manager.order_by("pk").values_list()) for model in CHANGED_BY_ACTS]


def test_every_action_shows_its_page(staff: Any) -> None:
    case = case_of(staff)
    owner = staff.client(staff.owner)

    for name, kind in ACTS.items():
        assert kind.submit in owner.get(url_of(name, case)).content.decode(), name


def test_an_assistant_is_refused_every_clinical_action_and_nothing_changes(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.assistant)
    before = snapshot()

    for name in set(ACTS) - FOR_ASSISTANTS:
        assert act(client, name, case).status_code == 403, name
    assert snapshot() == before


def test_another_clinics_owner_gets_the_answer_for_a_missing_row_and_nothing_changes(
    staff: Any, stranger: Any
) -> None:
    case = case_of(staff)
    client = stranger.client(stranger.owner)
    before = snapshot()

    for name in ACTS:
        assert act(client, name, case).status_code == 404, name
    assert snapshot() == before


def test_a_missing_or_malformed_id_is_not_found(staff: Any) -> None:
    client = staff.client(staff.owner)
    ids = ("0", "999999", "x", "9" * 30, "01a20271-23f8-7cfb-af05-ffa74b2fe623")

    for name, pk in product(ACTS, ids):
        assert client.get(reverse("admin:do", args=[name, pk])).status_code == 404, (name, pk)


@pytest.mark.parametrize("name", sorted(FOR_ASSISTANTS))
def test_an_assistant_may_invite_and_log_a_call(staff: Any, name: str) -> None:
    case = case_of(staff)

    assert act(staff.client(staff.assistant), name, case).status_code == 302


def test_each_page_of_an_act_has_every_field_its_form_asks_for(staff: Any) -> None:
    case, client = case_of(staff), staff.client(staff.owner)
    for name in ("apply-proposal", "acknowledge", "clear", "move-stage", "letter", "discharge"):
        page = client.get(url_of(name, case))
        html = page.content.decode()
        missing = [field for field in page.context["form"].fields if f'name="{field}"' not in html]
        assert missing == [], name
