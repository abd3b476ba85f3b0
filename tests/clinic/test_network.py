"""Whose address counts: the one that our own proxies saw."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from clinic.network import client_address, counted_address


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (0, "192.0.2.1", "203.0.113.9", "192.0.2.1"),  # nobody we trust wrote it
        (1, "192.0.2.1", "203.0.113.9", "203.0.113.9"),
        (1, "192.0.2.1", "10.0.0.1, 203.0.113.9", "203.0.113.9"),  # the first was the client's own word
        (2, "192.0.2.1", "198.51.100.7, 203.0.113.9", "198.51.100.7"),
        (2, "192.0.2.1", "203.0.113.9", "203.0.113.9"),
        (1, "192.0.2.1", "", "192.0.2.1"),
        (1, "192.0.2.1", "unknown'; --", "192.0.2.1"),
        (1, "192.0.2.1", "2001:db8::1", "2001:db8::1"),
        (0, "", "", ""),  # a socket
    ],
)
def test_the_address_is_the_one_our_outermost_proxy_saw(
    settings: Any, proxies: int, peer: str, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"x-forwarded-for": forwarded})
    assert client_address(request) == address


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_limits_count_the_network_of_one_customer(settings: Any, peer: str, counted: str) -> None:
    settings.TRUSTED_PROXY_COUNT = 0
    assert counted_address(RequestFactory().get("/", REMOTE_ADDR=peer)) == counted
