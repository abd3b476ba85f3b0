"""``/api/v1/``: the patient's API, the staff's, the schema and its page; any other address is a problem."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpResponse
from django.urls import include, path, re_path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView


class NowhereView(APIView):
    """There is nothing at this address."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


class SchemaView(SpectacularAPIView):
    """The description of the API, the same for everyone."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer = request.accepted_renderer
        headers = {"Content-Disposition": f'inline; filename="{self._get_filename(request, "")}"'}
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        return HttpResponse(_described(type(renderer)), f"{renderer.media_type}{charset}", headers=headers)


@cache
def _described(renderer: type[BaseRenderer]) -> bytes:
    """Once in each format: it takes seconds, and anybody may ask for it, as often as they like."""
    written: bytes = renderer().render(SchemaGenerator().get_schema(public=True), renderer.media_type, {})
    return written


# A page of HTML describes itself to nobody: asked for OPTIONS it would fail for want of a template.
ONLY_SHOWN: dict[str, Any] = {"http_method_names": ["get", "head"], "template_name": "api_docs.html"}

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", **ONLY_SHOWN), name="docs"),
    path("", include("programs.api.urls")),
    path("", include("programs.api.staff.urls")),
    re_path("", NowhereView.as_view()),
]
