"""The demo clinic's own copy of a program, changed once: some patients are on its first version."""

from __future__ import annotations

from datetime import datetime

from clinic.models import Clinic, User
from programs.demo.courses import OWN_COPY
from programs.models import Dose, Template, TemplateVersion
from programs.services.library.copies import copy_template
from programs.services.library.versions import changing_template

USUAL = "runners-knee"


def make_own_copy(clinic: Clinic, *, by: User) -> None:
    copy_template(template=Template.objects.get(clinic=None, slug=USUAL), clinic=clinic, by=by)


def change_own_copy(clinic: Clinic, *, by: User, now: datetime) -> None:
    """One set of the wall sit less: less to do at home in the first weeks."""
    template = Template.objects.get(clinic=clinic, slug=OWN_COPY)
    with changing_template(template, by=by):
        dose = Dose.objects.get(stage__template=template, stage__number=1, exercise__slug="wall-sit")
        dose.sets = (dose.sets or 1) - 1
        dose.save(update_fields=["sets"])
    TemplateVersion.objects.filter(template=template).update(replaced_at=now)
