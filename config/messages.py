"""What the next page of the admin tells: it may name patients."""

from __future__ import annotations

from typing import Any

from django.contrib.messages.storage.session import SessionStorage

from clinic import secrets


class SealedMessages(SessionStorage):
    """In the session's row, where no policy of a clinic holds, and so encrypted with the master key."""

    def serialize_messages(self, messages: Any) -> str:
        return secrets.encrypt(super().serialize_messages(messages)).decode()

    def deserialize_messages(self, data: Any) -> Any:
        if not data:
            return []
        try:
            return super().deserialize_messages(secrets.decrypt(data.encode()))
        except secrets.SecretLostError:  # the key was taken away meanwhile: a message is no record
            return []
