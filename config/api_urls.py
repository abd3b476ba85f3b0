"""``/api/v1/``: the patient's API, the staff's, the schema and its page; any other address is a problem."""

from __future__ import annotations

from typing import Any

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView


class NowhereView(APIView):
    """There is nothing at this address."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


# A page of HTML describes itself to nobody: asked for OPTIONS it would fail for want of a template.
ONLY_SHOWN: dict[str, Any] = {"http_method_names": ["get", "head"], "template_name": "api_docs.html"}

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", **ONLY_SHOWN), name="docs"),
    path("", include("programs.api.urls")),
    path("", include("programs.api.staff.urls")),
    re_path("", NowhereView.as_view()),
]
