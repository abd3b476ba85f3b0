"""A patient's link opened without the app: one page for every address, which says what to do."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from programs.emails.links import check_in_page, invitation_page
from programs.models import CheckInRequest

PATHS = [
    urlsplit(invitation_page()).path,
    *(urlsplit(check_in_page(CheckInRequest(pk=pk))).path for pk in (1, 2)),
]


@pytest.mark.parametrize("path", [*PATHS, "/check-ins/no-such"])
def test_links_in_emails_lead_to_one_page_that_needs_no_database(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content == client.get(PATHS[0]).content
    assert b"Open this link on the phone that has your clinic's app" in answer.content
    assert b'href="/api/v1/docs/"' in answer.content


@pytest.mark.parametrize("path", PATHS)
def test_the_page_keeps_the_address_to_itself(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer["Referrer-Policy"], answer["X-Robots-Tag"]) == ("no-referrer", "noindex")
    assert not answer.cookies
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert b"<style" not in answer.content
    assert b"style=" not in answer.content
    assert b"<script" not in answer.content


def test_the_stylesheet_of_the_page_exists(client: Client) -> None:
    assert b'href="/static/programs/landing.css"' in client.get(PATHS[0]).content
    assert finders.find("programs/landing.css")


@pytest.mark.parametrize("path", PATHS)
def test_the_page_takes_nothing(path: str) -> None:
    assert Client(enforce_csrf_checks=True).post(path).status_code == 405
