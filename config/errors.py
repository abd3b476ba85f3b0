"""What no view could answer: a problem below ``/api/``, elsewhere a page. Neither repeats what was sent."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from clinic.api.problems import CONTENT_TYPE, problem_body
from clinic.logs import request_id

API = "/api/"
TEXTS = {
    HTTPStatus.BAD_REQUEST: "The request could not be read. Nothing was stored.",
    HTTPStatus.NOT_FOUND: "The address is wrong, or what it led to is not yours to see.",
    HTTPStatus.CONTENT_TOO_LARGE: "More was sent than any form of ours holds. Nothing was stored.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here. Nothing was stored.",
}
TITLES = {
    HTTPStatus.BAD_REQUEST: "This could not be read",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.CONTENT_TOO_LARGE: "That is too much at once",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    too_big = isinstance(exception, RequestDataTooBig)
    return _answer(request, HTTPStatus.CONTENT_TOO_LARGE if too_big else HTTPStatus.BAD_REQUEST)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, reference=request_id.get())


def _answer(request: HttpRequest, status: HTTPStatus, reference: str = "") -> HttpResponse:
    if request.path_info.startswith(API):
        body = problem_body(status, [{"detail": TEXTS[status], "code": status.name.lower()}])
        return JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    page = {"title": TITLES[status], "text": TEXTS[status], "reference": reference}
    return HttpResponse(render_to_string("error.html", page), status=status)
