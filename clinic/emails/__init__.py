"""How e-mails are rendered, and those about staff accounts (``accounts``)."""

from clinic.emails.render import Email, render

__all__ = ["Email", "render"]
