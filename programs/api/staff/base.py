"""What the staff's endpoints share: who may, whose rows, versions, pages, and retries that create no twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from drf_spectacular.utils import inline_serializer
from rest_framework import exceptions, serializers
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from clinic import creations
from clinic.api.authentication import StaffTokenAuthentication
from clinic.api.problems import Conflict
from clinic.api.serializers import StrictSerializer
from clinic.api.throttles import TokenThrottle
from clinic.api.versions import require_version, versioned
from clinic.models import Clinic, StaffToken, User
from clinic.roles import Capability, Denied
from clinic.tenancy import rows_where
from clinic.thresholds import PolicyError
from patients.models import Episode
from programs.api.base import ApiView, instant

MOST = 200
LARGEST_ID = 2**63 - 1
LONGEST_KEY = 64


class MayHere(BasePermission):
    """The role's capability for what the method does; a token that only reads changes nothing."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, StaffToken):
            return False  # 401
        method = str(request.method).lower()
        if not hasattr(view, method) or method == "options":
            return True  # 405, whoever asks
        reads = request.method in SAFE_METHODS or view.only_reads
        if not reads and not request.auth.writes:
            raise exceptions.PermissionDenied("This token may only read.")
        needed = view.reads if reads else view.acts
        if not request.user.may(needed, request.auth.clinic_id):
            words = needed.value.replace("_", " ")
            raise exceptions.PermissionDenied(f"Your role in this clinic does not allow it ({words}).")
        return True


class StaffView(ApiView):
    """An endpoint of the token's clinic. What a failed request wrote is undone; counted tries stay."""

    authentication_classes = (StaffTokenAuthentication,)
    permission_classes = (MayHere,)
    throttle_classes = (TokenThrottle,)

    reads = Capability.READ_CLINICAL
    acts = Capability.WRITE_CLINICAL
    only_reads = False  # a POST that changes nothing

    _before: str | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.now = instant()
        self._before = transaction.savepoint_create()

    def handle_exception(self, exc: Exception) -> Response:
        if self._before is not None:
            transaction.savepoint_rollback(self._before)
        return super().handle_exception(said_by_http(exc))

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    @property
    def clinic(self) -> Clinic:
        return cast(StaffToken, self.request.auth).clinic

    @property
    def zone(self) -> ZoneInfo:
        """Of the clinic's clock."""
        return ZoneInfo(self.clinic.timezone)

    # --- rows

    def rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those that the member sees, as in the admin."""
        return rows_where(self.user, self.reads, rows)

    def find(self, rows: QuerySet[Any], key: str) -> Any:
        """A row the member sees. A foreign one answers as one that does not exist."""
        try:
            return self.rows(rows).get(pk=key)
        except (rows.model.DoesNotExist, ValueError, DjangoValidationError, OverflowError):
            raise exceptions.NotFound from None

    def choose(self, name: str, rows: QuerySet[Any], key: Any) -> Any:
        """A row that the body names; what is foreign or missing is the field's mistake."""
        try:
            return self.find(rows, key)
        except exceptions.NotFound:
            raise exceptions.ValidationError({name: "There is none with this id."}) from None

    def library(self, name: str, rows: QuerySet[Any], key: Any) -> Any:
        """A row of the library that the body names."""
        found = rows.filter(pk=key).first()
        if found is None:
            raise exceptions.ValidationError({name: "There is none with this id."})
        return found

    def member(self, name: str, key: int) -> User:
        """Somebody of the clinic; whether they treat is the service's to judge."""
        found = User.objects.filter(memberships__clinic=self.clinic, pk=key).first()
        if found is None:
            raise exceptions.ValidationError({name: "There is none with this id."})
        return found

    def body(self, kind: type[StrictSerializer], **kwargs: Any) -> dict[str, Any]:
        """What was sent, its shape checked."""
        serializer = kind(data=self.request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return cast(dict[str, Any], serializer.validated_data)

    # --- versions

    def edit(self, key: str, rows: QuerySet[Any], shown: Callable[[Any], Any]) -> Any:
        """The row as it stands, locked, for an edit that names its version."""
        lock(self.find(rows, key))
        row = self.find(rows, key)
        require_version(self.request, shown(row))
        return row

    def answer(self, shown: Any, code: int = 200) -> Response:
        return versioned(self.request, shown, code=code)

    # --- lists

    def page(self, rows: QuerySet[Any], output: type[serializers.BaseSerializer[Any]]) -> Response:
        """The next rows below the cursor, the latest first: rows that are added move no page."""
        asked = self.asked.validated_data
        rows = self.rows(rows).order_by("-pk")
        below = rows.filter(pk__lt=asked["cursor"]) if asked.get("cursor") else rows
        found = list(below[: asked["limit"]])
        more = len(found) == asked["limit"] and rows.filter(pk__lt=found[-1].pk).exists()
        results = output(found, many=True, context={"view": self}).data
        return Response({"results": results, "next": self.link(cursor=found[-1].pk) if more else None})

    def link(self, **changed: int | UUID) -> str:
        """The same question, from another place on."""
        query = self.request.query_params.copy()
        for name, value in changed.items():
            query[name] = str(value)
        return self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}")

    # --- creations

    def create(self, rows: QuerySet[Any], make: Callable[[], Model], shown: Callable[[Any], Any]) -> Response:
        """Make a row, or find the one that the same key has made before."""
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return self.answer(shown(make()), 201)
        if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise exceptions.ValidationError({"Idempotency-Key": f"1 to {LONGEST_KEY} ASCII characters."})
        try:
            note = creations.claim(
                clinic=self.clinic,
                user=self.user,
                route=self.request.resolver_match.view_name,
                key=key,
                body=[self.request.path, self.request.data],
                now=self.now,
            )
        except creations.OtherBodyError:
            raise Conflict({"Idempotency-Key": "This key was used for another body."}) from None
        if note.row_key:
            return self.answer(shown(self.find(rows, note.row_key)))
        made = make()
        creations.keep(note, made.pk)
        return self.answer(shown(made), 201)


def lock(row: Model) -> None:
    """Until the request ends. What belongs to a case is locked by its case, as the services do."""
    episode = getattr(row, "episode_id", None)
    if episode is not None:
        Episode.objects.select_for_update(no_key=True).get(pk=episode)
    else:
        type(row)._base_manager.select_for_update(no_key=True).get(pk=row.pk)


def said_by_http(error: Exception) -> Exception:
    """What a service refused, as HTTP says it; any other error as it is."""
    if isinstance(error, Denied):
        return exceptions.PermissionDenied(str(error))
    if isinstance(error, PolicyError):
        return exceptions.ValidationError({error.key: error.message})
    if isinstance(error, DjangoValidationError):
        return exceptions.ValidationError(_by_field(error))
    if isinstance(error, IntegrityError):
        return Conflict("Someone else saved the same thing a moment ago. Read it again before you repeat it.")
    if isinstance(error, ValueError) and (field := getattr(error, "field", None)):
        return exceptions.ValidationError({field: getattr(error, "message", str(error))})
    return error


def _by_field(error: DjangoValidationError) -> Mapping[str, Any]:
    if not hasattr(error, "error_dict"):
        return {api_settings.NON_FIELD_ERRORS_KEY: error.messages}
    names = {NON_FIELD_ERRORS: api_settings.NON_FIELD_ERRORS_KEY}
    return {names.get(name, name): messages for name, messages in error.message_dict.items()}


class PageQuery(StrictSerializer):
    """A page of a list."""

    limit = serializers.IntegerField(default=50, min_value=1, max_value=MOST, help_text="Rows on a page.")
    cursor = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, help_text="Follow `next` instead of writing it."
    )


class BulkResult(serializers.Serializer[Any]):
    """What became of one row of a bulk."""

    id = serializers.CharField()
    done = serializers.BooleanField()
    detail = serializers.CharField(help_text="Why not; empty where it was done.")


def page_of(kind: type[serializers.BaseSerializer[Any]]) -> Any:
    """A page, for the schema."""
    return inline_serializer(
        f"{kind.__name__.removesuffix('Serializer')}Page",
        {"results": kind(many=True), "next": serializers.URLField(allow_null=True)},
    )


def one_by_one(keys: list[Any], act: Callable[[Any], None]) -> list[dict[str, Any]]:
    """Each row on its own: what is refused for one is undone, named, and no reason to stop."""
    results = []
    for key in keys:
        try:
            with transaction.atomic():
                act(key)
            results.append({"id": str(key), "done": True, "detail": ""})
        except Exception as error:
            known = said_by_http(error)
            if not isinstance(known, exceptions.APIException):
                raise
            results.append({"id": str(key), "done": False, "detail": _first(known.detail)})
    return results


def _first(detail: Any) -> str:
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values())) if isinstance(detail, dict) else detail[0]
    return str(detail)
