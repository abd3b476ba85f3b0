"""What tests of every layer need."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from cffi import FFI


@pytest.fixture
def no_pango(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the library: the typesetter is not loaded yet, and can't open it."""

    def refuse(_ffi: FFI, name: str, *_flags: Any) -> None:
        raise OSError(f"cannot load library {name!r}")

    for name in list(sys.modules):
        if name.partition(".")[0] == "weasyprint" or name == "programs.services.letter_pdf":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(FFI, "dlopen", refuse)
