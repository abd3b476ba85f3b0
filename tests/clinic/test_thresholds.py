"""The table of thresholds: defaults, overrides, and errors that name the setting."""

import json
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest

from clinic.thresholds import DEFAULTS, FIELDS, TOPICS, PolicyError, as_json, parse, with_overrides

SOURCES = Path(__file__).resolve().parents[2] / "docs" / "clinical-sources.md"


def test_a_case_overrides_its_clinic_and_the_clinic_the_default():
    thresholds = with_overrides({"watch_week": 3, "stalled_week": 9}, {"watch_week": 2})
    assert (thresholds.watch_week, thresholds.stalling_week, thresholds.stalled_week) == (2, 6, 9)


def test_every_default_survives_json_unchanged():
    stored = json.loads(json.dumps(as_json(DEFAULTS)))
    assert with_overrides(stored) == DEFAULTS


def test_every_threshold_says_what_it_is_and_where_it_comes_from():
    assert all(f.metadata["label"] and f.metadata["source"] and f.metadata["group"] for f in FIELDS.values())


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("green_max", "2.5", Decimal("2.5")),
        ("watch_week", "3", 3),
        ("check_in_time", "19:30", time(19, 30)),
        ("check_in_weekdays", [5, "1", 1], (1, 5)),
        ("digest_full_names", True, True),
    ],
)
def test_a_value_is_read_in_the_type_of_its_threshold(key, raw, value):
    assert parse(key, raw) == value


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("no_such_key", 1),
        ("watch_week", "4.5"),
        ("watch_week", 0),
        ("watch_week", True),
        ("green_max", "NaN"),
        ("green_max", "Infinity"),
        ("green_max", 11),
        ("check_in_time", "25:00"),
        ("check_in_weekdays", []),
        ("check_in_weekdays", [8]),
        ("check_in_weekdays", 5),
        ("digest_full_names", 1),
        ("red_flags", False),
    ],
)
def test_a_bad_value_is_refused_by_name(key, raw):
    with pytest.raises(PolicyError) as error:
        with_overrides({key: raw})
    assert error.value.key == key


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ({"watch_week": 6}, "stalling_week"),
        ({"stalled_week": 6}, "stalled_week"),
        ({"amber_max": 3}, "amber_max"),
        ({"missed_after_hours": 24}, "missed_after_hours"),
    ],
)
def test_values_out_of_order_are_refused_by_name(overrides, key):
    with pytest.raises(PolicyError) as error:
        with_overrides(overrides)
    assert error.value.key == key


class TestWhereTheSourcesDisagree:
    def test_the_page_and_the_document_say_the_same(self):
        rows = [
            line.strip("|").split("|") for line in SOURCES.read_text().splitlines() if line.count("|") == 4
        ]
        written = [tuple(cell.strip() for cell in row) for row in rows]
        assert [(t.name, t.positions, t.here) for t in TOPICS] == written[2:]

    def test_what_decides_is_a_threshold_and_a_conflicting_threshold_decides_something(self):
        deciding = {key for topic in TOPICS for key in topic.decided_by}
        assert deciding == {key for key, field in FIELDS.items() if field.metadata["conflict"]}

    @pytest.mark.parametrize(
        ("name", "numbers"), [("timescale", (4, 6, 8)), ("frequency", (3, 2)), ("running with pain", (3, 3))]
    )
    def test_our_default_is_the_tables(self, name, numbers):
        topic = next(topic for topic in TOPICS if topic.name == name)
        assert tuple(getattr(DEFAULTS, key) for key in topic.decided_by) == numbers
