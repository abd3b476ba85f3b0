"""YAML of files that people send us: small, flat, no aliases, each name once; the line of every path."""

from __future__ import annotations

from typing import Any

import yaml

MAX_CHARACTERS = 200_000
MAX_DEPTH = 12


class YamlError(ValueError):
    """The text is no YAML that we read; the message names the line."""


class _Loader(yaml.SafeLoader):
    """Safe tags only. An alias could grow a small file into a bomb."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise _refused(self._mark(), "aliases (*) are not read: write it out")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refused(self._mark(), "nested too deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _mark(self) -> yaml.Mark:
        return self.peek_event().start_mark  # type: ignore[no-untyped-call, no-any-return]


def load_yaml(text: str) -> tuple[Any, dict[str, int]]:
    """The data, and the line of each path in it. Raises YamlError."""
    if len(text) > MAX_CHARACTERS:
        raise YamlError(f"too long: at most {MAX_CHARACTERS // 1000} thousand characters")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise YamlError("the file is empty")
        lines: dict[str, int] = {}
        _note_lines(node, "", lines)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(f"line {mark.line + 1 if mark else 1}: {error.problem or 'is no YAML'}") from None
    except yaml.YAMLError:
        raise YamlError("holds characters that YAML does not allow") from None
    except (ValueError, OverflowError, TypeError) as error:  # a date or number that is none, a list as a name
        if isinstance(error, YamlError):
            raise
        raise YamlError("holds a value that cannot be read: put it in quotes") from None


def dump_yaml(plain: Any) -> str:
    """As a person reads it: in the order given, long texts folded."""
    text: str = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are set in below their name."""
        super().increase_indent(flow, indentless=False)


def _note_lines(node: Any, path: str, lines: dict[str, int]) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for number, child in enumerate(node.value):
            _note_lines(child, f"{path}[{number}]", lines)
    elif isinstance(node, yaml.MappingNode):
        names = set()
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise _refused(key.start_mark, "a name is a plain word")
            if key.value in names:
                raise _refused(key.start_mark, "this name stands twice")
            names.add(key.value)
            _note_lines(child, f"{path}.{key.value}" if path else key.value, lines)


def _refused(mark: Any, message: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=mark)
