"""The newsletter that a command means, and what it says if there is none."""

import pytest

from tests.cli.newspaper import Newspaper


@pytest.mark.parametrize(
    "words", [("subscribers", "show"), ("subscribers", "remove"), ("issue", "show"), ("issue", "status")]
)
def test_a_misspelt_newsletter_is_not_taken_for_an_address_or_a_number(
    paper: Newspaper, words: tuple[str, ...]
) -> None:
    refused = paper.run(*words, "weekley", code=2).stderr
    assert "There is no newsletter 'weekley', only weekly; and" in refused
    refused = paper.run(*words, "weekly", "weekley", code=2).stderr  # the second word is no newsletter
    assert "There is no newsletter" not in refused
