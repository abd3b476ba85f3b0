"""Where a request comes from."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's address, as seen by the outermost proxy of ours; empty if there is none (a socket)."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    told = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    proxies = min(settings.TRUSTED_PROXY_COUNT, len(told))
    return _address(told[-proxies]) or _address(peer) if proxies else _address(peer)


def counted_address(request: HttpRequest) -> str:
    """As limits count it: of IPv6 the /64, which is one customer's whole; IPv4 written as IPv6 is IPv4."""
    text = client_address(request)
    address = ip_address(text) if text else None
    if not isinstance(address, IPv6Address):
        return text
    return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))


def _address(text: str) -> str:
    """Without what is no address: a client behind no proxy may write anything."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""
