"""Broken set-ups, each found by its own check with what mends it, and good ones without a false alarm."""

import pytest

from secondpost.setup.diagnosis import Diagnosis, Grade
from tests.setup.dns_set_ups import Expected, diagnoses, names_of, read_set_up

BAD = (Grade.FAULT, Grade.WARNING)


def shown(found: tuple[Diagnosis, ...]) -> str:
    return "\n".join(f"{it.grade} {it.check.word} {it.subject}: {it.text}\n    {it.remedy}" for it in found)


@pytest.mark.parametrize("name", names_of("good"))
def test_a_good_set_up_raises_no_alarm(name: str) -> None:
    found = diagnoses(read_set_up("good", name))
    bad = tuple(it for it in found if it.grade in BAD)
    assert bad == (), shown(bad)
    assert any(it.grade is Grade.WELL for it in found)
    _are_sentences_with_remedies(found)


@pytest.mark.parametrize("name", names_of("broken"))
def test_what_is_broken_is_found_with_its_remedy_and_nothing_else(name: str) -> None:
    set_up = read_set_up("broken", name)
    found = diagnoses(set_up)
    left = list(set_up.finds)
    assert len(left) > 0
    for one in found:
        met = [each for each in left if _is(each, one)]
        if len(met) > 0:
            left.remove(met[0])
        else:
            assert one.grade not in BAD, shown((one,))
    assert left == [], shown(found)
    _are_sentences_with_remedies(found)


def _are_sentences_with_remedies(found: tuple[Diagnosis, ...]) -> None:
    for it in found:
        assert it.text.endswith("."), it
        assert it.grade not in BAD or len(it.remedy) > 0, it


def _is(expected: Expected, found: Diagnosis) -> bool:
    said = (found.check.word, found.grade.value, found.subject)
    is_same = said == (expected.check, expected.grade, expected.subject)
    return is_same and len(expected.remedy) > 0 and expected.remedy in found.remedy
