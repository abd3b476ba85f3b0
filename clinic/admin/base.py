"""What every admin page shares: permissions from the role table, scoped rows, no accident ends in a 500."""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.db.models import DateField, Model, QuerySet, TimeField
from django.forms import BaseFormSet, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.overrides import FORMFIELD_OVERRIDES_INLINE

from clinic.admin.forms import native_picker, say_plainly
from clinic.admin.history import entries_of, labels_of, page_of
from clinic.models import User
from clinic.roles import Capability
from clinic.tenancy import ClinicRow, rows_where
from clinic.tenancy import clinics_where as clinics_where

CONFLICT = "Someone else saved the same thing a moment ago. Look at it again before you repeat it."

NOT_FOR_OPERATORS = "Not shown to operators of the service."
"""What was changed and who has read it: the database gives them no entry of a clinic, and an empty page would
say that there is none.
"""

NATIVE_PICKERS = {DateField: {"widget": native_picker("date")}, TimeField: {"widget": native_picker("time")}}
INLINE_PICKERS = {**FORMFIELD_OVERRIDES_INLINE, **NATIVE_PICKERS}


def is_operator(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_active and request.user.is_operator


def refuse_operators(request: HttpRequest, row: Any) -> None:
    """Of the trail of a clinic where they don't work."""
    clinic_id = getattr(row, "clinic_id", row.pk)
    if is_operator(request) and clinic_id not in request.user.clinic_ids:  # type: ignore[union-attr]
        raise PermissionDenied(NOT_FOR_OPERATORS)


class PlainFields:
    """What is wrong with a field is said in our words."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None:
            say_plainly(field)
        return field


class RolePermissions:
    """Permissions from the role table instead of Django's permission rows. ``None``: nobody in a clinic."""

    view_needs: Capability | None = None
    add_needs: Capability | None = None
    change_needs: Capability | None = None
    history_needs: Capability = Capability.READ_CLINICAL

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.view_needs, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.add_needs, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.change_needs, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Records are kept: nothing is deleted here."""
        return False

    def _may(self, request: HttpRequest, capability: Capability | None, obj: Any) -> bool:
        user = request.user
        if capability is None or not isinstance(user, User):
            return False
        clinic_id = getattr(obj, "clinic_id", None) if isinstance(obj, Model) else None
        return user.may(capability, clinic_id)


class RoleAdmin(PlainFields, RolePermissions, ModelAdmin):
    """A model's pages, for the rows of the user's clinics."""

    actions = None
    formfield_overrides = NATIVE_PICKERS
    list_filter_sheet = False
    list_per_page = 50
    nothing_yet = "Nothing here yet"  # of an empty list that nobody has narrowed
    nothing_yet_hint = ""  # what to do about it, or how something comes here
    show_full_result_count = False
    warn_unsaved_form = True

    def get_urls(self) -> list[URLPattern]:
        """Without Django's nameless old address of a row, which sends on to the page of any id."""
        return [url for url in super().get_urls() if url.name]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        if self.view_needs is None or not isinstance(request.user, User):
            return super().get_queryset(request).none()
        return rows_where(request.user, self.view_needs, super().get_queryset(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """PostgreSQL takes no NUL, and Django's filters pass it on."""
        if any("\0" in value for value in request.GET.values()):
            return HttpResponseRedirect(request.path)
        named = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        return super().changelist_view(request, named)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A unique constraint that only the database can judge comes back as a message."""
        try:
            with transaction.atomic():
                response = super().changeform_view(request, object_id, form_url, extra_context)
                connection.check_constraints()  # else they fail when the request is committed
                return response
        except IntegrityError:
            messages.error(request, CONFLICT)
            return HttpResponseRedirect(request.get_full_path())

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> NoReturn:
        """Not found, rather than Django's way back to the first page with the id in a message."""
        raise Http404

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """From the audit trail, instead of Django's own log."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not (self.has_view_permission(request, row) and self._may(request, self.history_needs, row)):
            raise PermissionDenied
        refuse_operators(request, row)
        context = {
            **self.admin_site.each_context(request),
            "title": "History",
            "about": row,
            "back_url": reverse(admin_urlname(self.opts, "change"), args=[row.pk]),
            "page": page_of(
                self.history_of(request, row), request.GET.get("page", "1"), self._labels(request, row)
            ),
        }
        return TemplateResponse(request, "admin/clinic/history.html", context)

    def history_of(self, request: HttpRequest, row: Any) -> QuerySet[Any]:
        """The entries that the history of the row shows."""
        return entries_of(row, self.get_inlines(request, row))

    def _labels(self, request: HttpRequest, row: Any) -> dict[str, str]:
        found = labels_of(self.get_form(request, row, change=True), self.model)
        for inline in self.get_inline_instances(request, row):
            found |= labels_of(inline.get_formset(request, row).form, inline.model)
        return found

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        """Of a row that exists only what the form changed is written: a colleague may have discharged the
        case, or the patient opened the account, since the row was read.
        """
        if not change:
            super().save_model(request, obj, form, change)
            return
        obj.save(update_fields=sorted(self.changed_columns(form)))

    def changed_columns(self, form: ModelForm) -> set[str]:
        """What a changed form writes: its changed fields that are columns."""
        return {field.name for field in form.instance._meta.concrete_fields} & set(form.changed_data)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Django's own log would hold the patient's name; the audit trail knows more, and holds none."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """See ``log_addition``."""

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseFormSet, change: bool) -> None:
        """Rows entered in an inline belong to the clinic of the row above them."""
        clinic_id = getattr(form.instance, "clinic_id", None)
        for row in formset.forms:
            if isinstance(row.instance, ClinicRow) and row.instance.clinic_id is None:
                row.instance.clinic_id = clinic_id
        super().save_formset(request, form, formset, change)


class FollowsParent(PlainFields):
    """An inline may do what its page may."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.can_delete)  # type: ignore[attr-defined]


class RoleTabularInline(FollowsParent, TabularInline):
    extra = 0
    formfield_overrides = INLINE_PICKERS


class RoleStackedInline(FollowsParent, StackedInline):
    extra = 0
    formfield_overrides = INLINE_PICKERS
