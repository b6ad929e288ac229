"""Names of authors: only the name, however a feed writes it, and never a mail address."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.newsletter.authors import AUTHOR_CHARACTERS_MAX, AUTHORS_MAX, name_of, names_of

WRITTEN = {
    "Ann": "Ann",
    "ann@example.org (Ann)": "Ann",
    "Ann <ann@example.org>": "Ann",
    "Ann &lt;ann@example.org&gt;": "Ann",
    "Ann (ann@example.org)": "Ann",
    "Ann [ann@example.org]": "Ann",
    "Ann Example ann@example.org": "Ann Example",
    "ann@example.org - Ann": "Ann",
    "ann@bücher.example Ann": "Ann",
    "ann&#64;example.org (Ann)": "Ann",
    '"Ann, B" <ann.b@example.org>': "Ann, B",
    '"ann b"@example.org (Ann)': "Ann",
    "<a href='mailto:ann@example.org'>Ann</a>": "Ann",
    "ann@example.org (Ann Example (she))": "Ann Example (she)",
    "ann@example.org (Ann), bob@example.org (Bob)": "Ann, Bob",
    "Ann (guest)": "Ann (guest)",
    "Ann, Bob & Co.": "Ann, Bob & Co.",
    "noreply@blogger.com (Ann Example)": "Ann Example",
    "noreply@blogger.com (Unknown)": "",
    "hidden (Ann Example)": "Ann Example",
    "/u/ann": "/u/ann",
    "@ann": "@ann",
    "@ann@social.example.org": "",
    "https://lemmy.example.org/u/ann": "",
    "ann@example.org": "",
    "mailto:ann@example.org": "",
    "<ann@example.org>": "",
    "ann@localhost": "",
    "ann @example.org": "",
    "Ann (ann @ example.org)": "Ann",
    "ann@[127.0.0.1]": "",
    "ann@@example.org (Ann)": "Ann",
    "ann\N{FULLWIDTH COMMERCIAL AT}example.org": "",
    "mailto:ann%40example.org": "",
    "  ": "",
}


@pytest.mark.parametrize(("written", "name"), WRITTEN.items())
def test_of_what_feeds_write_the_name_is_taken(written: str, name: str) -> None:
    assert name_of(written) == name


def test_of_several_each_is_named_once_and_those_with_an_address_alone_are_not() -> None:
    assert names_of(["Ann", "ann@example.org", "bob@example.org (Bob)", "Ann"]) == "Ann, Bob"
    assert names_of(["noreply@blogger.com"]) == ""
    assert names_of([f"N{n}" for n in range(50)]) == ", ".join(f"N{n}" for n in range(AUTHORS_MAX))


@given(st.text(alphabet="abc.@ ()<>&;,:\"'#64lt-", max_size=60))
def test_no_text_leaves_an_address(written: str) -> None:
    name = names_of([written])
    assert re.search(r"\w@\w", name) is None
    assert len(name) <= AUTHOR_CHARACTERS_MAX
