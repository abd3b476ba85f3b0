"""The page of a program that is fitted to one person: as it is stored, with the form that was refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from clinic.admin.actions import leading_back, way_back
from clinic.admin.base import rows_where
from clinic.admin.forms import dress
from clinic.models import User
from clinic.roles import Capability
from programs.admin.adjusting.changes import Refusal, make_change
from programs.admin.adjusting.forms import DoseForm, GreensForm, ProgramForm, StageForm
from programs.admin.caseload import page_url
from programs.models import Exercise, Program, ProgramDose, ProgramStage
from programs.rules.differences import Change, Difference
from programs.rules.matching import Covered
from programs.services import adjust
from programs.services.coverage import REASON_LENGTH, coverage

CANDIDATES = 3
GONE = "Not changed: this program was ended, or thrown away, meanwhile."


@dataclass(slots=True)
class DoseRow:
    """An exercise of a stage as the page shows it."""

    dose: ProgramDose
    form: DoseForm
    easier: Exercise | None
    harder: Exercise | None
    difference: Difference | None

    @property
    def is_added(self) -> bool:
        return self.difference is not None and self.difference.change in (Change.ADDED, Change.REPLACED)


@dataclass(slots=True)
class StageBlock:
    stage: ProgramStage
    form: StageForm
    rows: list[DoseRow] = field(default_factory=list)
    taken_out: list[ProgramDose] = field(default_factory=list)


def open_programs(user: User) -> QuerySet[Any]:
    """Those that the user may adjust: drafts and running ones."""
    programs = Program.with_drafts.filter(ended_on=None)
    rows: QuerySet[Any] = rows_where(user, Capability.WRITE_CLINICAL, programs)
    return rows.select_related("episode__patient", "episode__clinic__policy", "clinic", "template")


def adjust_url(program: Program) -> str:
    return reverse("admin:adjust", args=[program.pk])


def adjust_page(request: HttpRequest, pk: int, site: admin.AdminSite) -> HttpResponse:
    """Look at the program and change it, one change a request; what was changed is where the page opens."""
    user = request.user
    if not isinstance(user, User) or not user.may(Capability.WRITE_CLINICAL):
        raise PermissionDenied
    program = open_programs(user).filter(pk=pk).first()
    if program is None:
        raise Http404
    refusal, back = Refusal(), way_back(request)
    if request.method == "POST":
        done = make_change(request, program, user, refusal)
        if done is not None:
            return HttpResponseRedirect(leading_back(adjust_url(program), back) + done)
        if not open_programs(user).filter(pk=pk).exists():
            messages.error(request, GONE)
            return HttpResponseRedirect(page_url(program.episode))
    context = {
        **site.each_context(request),
        **_context(program, user, refusal),
        "back_url": back,
        "back": leading_back("", back),
    }
    return TemplateResponse(request, "admin/programs/adjust.html", context)


def _context(program: Program, user: User, refusal: Refusal) -> dict[str, Any]:
    program = open_programs(user).get(pk=program.pk)  # as it is stored, not as a form left it
    found = adjust.differences(program)
    library = list(Exercise.objects.usable_by(program.clinic_id))
    blocks = _blocks(program, found, refusal)
    covered = coverage(program=program)
    return {
        "title": "Adjust the program",
        "program": program,
        "episode": program.episode,
        "page_url": page_url(program.episode),
        "blocks": blocks,
        "library": _by_kind(library),
        "differences": found,
        "covered": [(row, _candidates(row, library, blocks)) for row in covered],
        "open_deficits": [row for row in covered if row.is_open],
        "reason_length": REASON_LENGTH,
        "running": program.episode.programs.active().exclude(pk=program.pk).first(),
        "form": _dressed(_kept(refusal, "program") or ProgramForm(instance=program, prefix="program")),
        "greens": _dressed(_kept(refusal, None) or GreensForm(initial=_greens(program))),
        "refused": refusal.text,
    }


def _blocks(program: Program, found: Sequence[Difference], refusal: Refusal) -> list[StageBlock]:
    stages = list(program.stages.prefetch_related("doses__exercise"))
    doses = [dose for stage in stages for dose in stage.doses.all()]
    others = adjust.neighbours(doses, program.clinic_id)
    differing = {difference.key: difference for difference in found if difference.key}
    blocks = []
    for stage in stages:
        prefix = f"stage-{stage.pk}"
        block = StageBlock(
            stage, _dressed(_kept(refusal, prefix) or StageForm(instance=stage, prefix=prefix))
        )
        for dose in stage.doses.all():
            if not dose.is_active:
                block.taken_out.append(dose)
                continue
            prefix = f"dose-{dose.pk}"
            block.rows.append(
                DoseRow(
                    dose,
                    _dressed(_kept(refusal, prefix) or DoseForm(instance=dose, prefix=prefix)),
                    others.get(dose.exercise.easier),
                    others.get(dose.exercise.harder),
                    differing.get(dose.pk),
                )
            )
        blocks.append(block)
    return blocks


def _greens(program: Program) -> dict[str, int]:
    return {"greens": program.thresholds.greens_to_progress}


def _kept(refusal: Refusal, prefix: str | None) -> Any:
    """The form as it was filled in, if it is the one that was not taken."""
    form = refusal.form
    return form if form is not None and form.prefix == prefix else None


def _dressed(form: Any) -> Any:
    """Where it was not taken, the page, a long one, opens at the first field at fault."""
    dress(form)
    wrong = next((name for name in form.fields if name in form.errors), None)
    if wrong:
        form.fields[wrong].widget.attrs["autofocus"] = True
    return form


def _by_kind(library: Iterable[Exercise]) -> list[tuple[str, list[Exercise]]]:
    found: dict[str, list[Exercise]] = {}
    for exercise in library:
        found.setdefault(exercise.get_kind_display(), []).append(exercise)
    return sorted(found.items())


def _candidates(
    row: Covered, library: Iterable[Exercise], blocks: Sequence[StageBlock]
) -> list[tuple[Exercise, ProgramStage]]:
    """For a deficit without an exercise: what the library has for it, each for the first stage."""
    if row.has_exercise or not blocks:
        return []
    suited = [exercise for exercise in library if row.group in exercise.targets]
    suited.sort(key=lambda exercise: (len(exercise.muscle_groups), exercise.name))
    return [(exercise, blocks[0].stage) for exercise in suited[:CANDIDATES]]
