"""Languages and the direction of their text."""

import pytest

from secondpost.mail.language import Direction, direction_of_language, direction_of_text, language_tag

LTR, RTL = Direction.LEFT_TO_RIGHT, Direction.RIGHT_TO_LEFT


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", LTR), ("nb-NO", LTR), ("he", RTL), ("iw", RTL), ("ar-EG", RTL), ("FA", RTL), ("ckb", RTL),
        ("ku", LTR), ("ku-Arab", RTL), ("uz-Arab-AF", RTL), ("ar-Latn", LTR), ("az-Arab", RTL),
        ("zh-cmn-Hans-CN", LTR), ("ar-arb-Latn", LTR), ("", LTR),
    ],
)  # fmt: skip
def test_languages_run_as_their_script_does(tag: str, expected: Direction) -> None:
    assert direction_of_language(tag) is expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The flood", "he", LTR),
        ("המבול הגדול", "en", RTL),
        ("الطوفان", "en", RTL),
        ("המבול: what they call the great flood, in their own words", "he", LTR),
        ("המבול הגדול, או The flood", "en", RTL),
        ("2029-01-05, 9:00!", "he", RTL),
        ("", "en", LTR),
    ],
)
def test_a_text_runs_as_most_of_its_letters_do(text: str, language: str, expected: Direction) -> None:
    assert direction_of_text(text, language) is expected


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("en-US", "en-US"), (" he ", "he"), ("pt_BR", "pt-BR"), ("", ""), ("english language", ""),
        ('en" onload="x', ""), ("e", ""), ("en-" + "abcdefgh-" * 9 + "x", ""),
    ],
)  # fmt: skip
def test_what_is_no_tag_is_none(written: str, tag: str) -> None:
    assert language_tag(written) == tag
