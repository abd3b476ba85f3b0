"""Things done to a row: a small form, one service call, and its refusal beside the field it is about."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Model, QuerySet
from django.forms.forms import DeclarativeFieldsMetaclass
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from clinic.admin.base import CONFLICT, rows_where
from clinic.admin.forms import dress
from clinic.models import User
from clinic.roles import Capability, Denied
from clinic.thresholds import PolicyError


class _AbstractForm(ABCMeta, DeclarativeFieldsMetaclass):
    """Forms have a metaclass of their own."""


class Act(forms.Form, metaclass=_AbstractForm):
    """One action on one row of ``model``: what it asks, and ``perform``, which makes the service call.

    Subclasses say what the role must allow (None: the page has judged it) and where to go afterwards. ``now``
    and ``today`` (in ``zone``) come from the request's edge.
    """

    model: ClassVar[type[Model]]
    needs: ClassVar[Capability | None]
    title: ClassVar[str]
    submit: ClassVar[str] = "Save"
    intro: ClassVar[str] = ""
    danger: ClassVar[bool] = False
    template: ClassVar[str] = "admin/clinic/act.html"
    goes_on: ClassVar[bool] = False  # it is one step of several: the way back is for the last of them
    downloads: ClassVar[bool] = False  # it answers with a file: the page stays, and says so once it is there
    answer: HttpResponse | None = None  # what ``perform`` answers with, such as a file, instead of going on
    renamed: ClassVar[Mapping[str, str]] = {}  # what the service calls a field, and what the form does

    def __init__(self, *args: Any, target: Any, by: User, now: datetime, **kwargs: Any) -> None:
        self.target, self.by, self.now = target, by, now
        super().__init__(*args, **kwargs)
        self.prepare()
        dress(self)

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        """The rows this action is for: those of the clinics where the user's role allows it."""
        assert cls.needs is not None
        return rows_where(user, cls.needs, cls.model._default_manager.all())

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    @property
    def zone(self) -> ZoneInfo:
        """Whose calendar ``today`` is read from."""
        return ZoneInfo(self.target.clinic.timezone)

    def prepare(self) -> None:
        """Set choices and initial values that depend on the row."""

    def heading(self) -> str:
        return self.title

    def about(self) -> str:
        return str(self.target)

    def context(self) -> dict[str, Any]:
        """What the template shows beside the form."""
        return {}

    @abstractmethod
    def perform(self) -> str:
        """Call the service; the text is shown once it is done."""

    @abstractmethod
    def next_url(self) -> str:
        """Where to go on once it is done, or given up."""

    def attempt(self) -> str | None:
        """What was done; None, with the form's errors, where the service refused."""
        try:
            with transaction.atomic():
                done = self.perform()
                connection.check_constraints()  # else they fail when the request is committed
                return done
        except Denied as error:
            raise PermissionDenied(str(error)) from error
        except IntegrityError:
            self.add_error(None, CONFLICT)
        except ValidationError as error:
            self._refuse(error)
        except PolicyError as error:
            self._say(error.key, error.message)
        except ValueError as error:
            field = getattr(error, "field", None)
            if field is None:
                raise
            self._say(field, getattr(error, "message", str(error)))
        return None

    def _refuse(self, error: ValidationError) -> None:
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            self._say(name, errors)

    def _say(self, name: str, error: Any) -> None:
        """Beside the field it is about; above the form where the form does not ask for it."""
        name = self.renamed.get(name, name)
        self.add_error(name if name in self.fields else None, error)


def act_on(request: HttpRequest, kind: type[Act], pk: str, site: admin.AdminSite) -> HttpResponse:
    """The page of one action on one row. A foreign row answers as one that does not exist."""
    user = request.user
    if not isinstance(user, User):
        raise Http404
    if kind.needs is not None and not user.may(kind.needs):
        raise PermissionDenied
    try:
        target = kind.rows(user).get(pk=pk)
    except (kind.model.DoesNotExist, ValueError, ValidationError, OverflowError):  # type: ignore[attr-defined]
        raise Http404 from None
    form = kind(
        request.POST if request.method == "POST" else None,
        initial=request.GET.dict(),
        target=target,
        by=user,
        now=timezone.now(),
    )
    back = way_back(request)
    if form.is_bound and form.is_valid() and (done := form.attempt()) is not None:
        if form.answer is not None:
            return form.answer
        messages.success(request, done)
        return HttpResponseRedirect(_next(form, back))
    context = {
        **site.each_context(request),
        "title": form.heading(),
        "about": form.about(),
        "form": form,
        "cancel_url": back or form.next_url(),
        "back": leading_back("", back),
        **form.context(),
    }
    return TemplateResponse(request, kind.template, context)


def _next(form: Act, back: str) -> str:
    return leading_back(form.next_url(), back) if form.goes_on else back or form.next_url()


def way_back(request: HttpRequest) -> str:
    """``?back=``: the list that the action was opened from, as the user had it; a page of the admin only."""
    address = request.GET.get("back", "")
    here = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if here and address.startswith(reverse("admin:index")) else ""


def leading_back(address: str, back: str) -> str:
    """The address of a page that leads on to there, if there is a way back."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'back': back})}" if back else address
