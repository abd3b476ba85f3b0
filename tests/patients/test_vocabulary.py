"""Labels of the terms of the record."""

from __future__ import annotations

from patients.vocabulary import Diagnosis, Sex


def test_a_code_that_two_vocabularies_share_has_a_label_in_each() -> None:
    assert Sex.choices() == [("female", "Female"), ("male", "Male"), ("other", "Other")]
    assert Diagnosis.OTHER_KNEE.label == "Other knee pain"
