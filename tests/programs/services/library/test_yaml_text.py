"""YAML from outside: each refusal says why and where, and no small file grows."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.services.library.yaml_text import MAX_CHARACTERS, YamlError, load_yaml

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        (BOMB, "line 2: aliases (*) are not read: write it out"),
        ("a: &a [*a]", "line 1: aliases"),
        ("[" * 2000, "line 1: nested too deep"),
        ("a: 1\nb: 2\na: 3\n", "line 3: this name stands twice"),
        ("? [a]\n: 1\n", "line 1: a name is a plain word"),
        ("<<: {a: 1}", "line 1: a name is a plain word"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: could not determine a constructor"),
        ("a: [1, 2", "line 1: expected ',' or ']'"),
        ("a: b: c", "line 1: mapping values are not allowed here"),
        ("a: \x00", "holds characters that YAML does not allow"),
        ("a: 2026-99-99", "holds a value that cannot be read: put it in quotes"),
        (f"a: {'9' * 5000}", "holds a value that cannot be read: put it in quotes"),
        ("--- a\n--- b\n", "line 2: but found another document"),
        ("x" * (MAX_CHARACTERS + 1), "too long: at most 200 thousand characters"),
    ],
)
def test_what_is_refused_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(YamlError) as caught:
        load_yaml(text)
    assert str(caught.value).startswith(said)


def test_the_line_of_each_path() -> None:
    assert load_yaml("a: 1\nb:\n- c: 2\n  d: 3\n") == (
        {"a": 1, "b": [{"c": 2, "d": 3}]},
        {"": 1, "a": 1, "b": 3, "b[0]": 3, "b[0].c": 3, "b[0].d": 4},
    )


@given(st.text(max_size=60) | st.text("-:?[]{}&*!|>'\"%@ \n#a1,<~.", max_size=60))
def test_whatever_comes_is_read_with_its_lines_or_refused(text: str) -> None:
    lines: dict[str, int] = {}
    with suppress(YamlError):  # any other error is one of ours
        _, lines = load_yaml(text)
    assert all(1 <= line <= len(text.splitlines()) + 1 for line in lines.values())
