"""Encryption under the master key: codes and tokens on their way into an e-mail, and patients' data keys."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretLostError(Exception):
    """No key of ENCRYPTION_KEYS opens it: the key was taken away, or the bytes were changed."""


def encrypt(text: str) -> bytes:
    """Encrypted with the first key of ENCRYPTION_KEYS."""
    return _fernet().encrypt(text.encode())


def decrypt(encrypted: bytes | memoryview) -> str:
    """What ``encrypt`` was given; any key of ENCRYPTION_KEYS will do, so that keys can be rotated.

    Raises:
        SecretLostError: no key opens it.
    """
    try:
        return _fernet().decrypt(bytes(encrypted)).decode()
    except InvalidToken:
        raise SecretLostError("No key of ENCRYPTION_KEYS opens the secret of this row.") from None


def opens(encrypted: bytes | memoryview) -> bool:
    """Whether a key of ENCRYPTION_KEYS opens it."""
    try:
        decrypt(encrypted)
    except SecretLostError:
        return False
    return True


def rewrap(encrypted: bytes | memoryview) -> bytes:
    """The same secret, encrypted with the first key of ENCRYPTION_KEYS.

    Raises:
        SecretLostError: no key opens it.
    """
    try:
        return _fernet().rotate(bytes(encrypted))
    except InvalidToken:
        raise SecretLostError("No key of ENCRYPTION_KEYS opens the secret of this row.") from None


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])
