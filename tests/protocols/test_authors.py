"""The domains of the From field, as DMARC needs them: what any mail program could take for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from secondpost.protocols.authors import AUTHORS_MAX, FROM_OCTETS_MAX, UNREADABLE, _domains, author_domains
from secondpost.protocols.dkim.canonical import FIELDS_MAX, fields_of

ONE = (
    "a@example.org",
    "<a@example.org>",
    "A <a@example.org",
    "A <a@EXAMPLE.org>",
    '"A, <b@example.com>" <a@example.org>',
    "A (b@example.com) <a@example.org>",
    '"a b"@example.org',
    "Doe, John <a@example.org>",
    "a@example.com <a@example.org>",
    "a@b@example.org",
    "a @ example\r\n .org",
    "A <a@example.org>, B <b@example.org>",
    "Group: a@example.org, B <b@example.org>;",
    "=?utf-8?q?A_=3Cb=40example=2Ecom=3E?= <a@example.org>",
    "\xe9\r\n\t<a@example.org>",
    "a@example.org.",
    "a\uff20example\u3002org",
    "<a\ufe6bexample\uff0eorg>",
    "(c) a (x) @ (y) example (z) . org",
    "x <<a@example.org>>",
)
MORE = {
    "a@example.org, b@example.com": ("example.org", "example.com"),
    "<a@example.org> <b@example.com>": ("example.org", "example.com"),
    "<<a@example.org>b@example.com>": ("example.org", UNREADABLE),
    "a@example.org>, b@example.com": (UNREADABLE, "example.com"),
    "a@-, b@example.com": (UNREADABLE, "example.com"),
    "@example.org": (UNREADABLE,),
    "<@a.example,@b.example:c@d.example>": ("a.example", UNREADABLE),
    "a@bücher.example": ("xn--bcher-kva.example",),
    "a@exam\x00ple.org": (UNREADABLE,),
    "a@example.org b": (UNREADABLE,),
    'a@example.org"b"': (UNREADABLE,),
    '"b <a@example.org>': (UNREADABLE,),
    '\\"b <a@example.org>': (UNREADABLE,),
    "(b <a@example.org>": (UNREADABLE,),
    'b@example.com, "b <a@example.org>': ("example.com", UNREADABLE),
    "b@example.com, (b <a@example.org>": ("example.com", UNREADABLE),
    "b@example.com, end (b <a@example.org>": ("example.com", UNREADABLE),
    '"a@example.org"': (UNREADABLE,),
    "'a@example.org'": (UNREADABLE,),
    "": (),
    "A B": (),
    "undisclosed:;": (),
}


def domains(*values: str) -> tuple[str, ...]:
    header = "".join(f"From: {value}\r\n" for value in values).encode()
    return author_domains(fields_of(header))


@pytest.mark.parametrize("value", ONE)
def test_one_domain_is_found(value: str) -> None:
    assert domains(value) == ("example.org",)


@pytest.mark.parametrize("value", MORE)
def test_doubt_is_more_or_less_than_one(value: str) -> None:
    assert domains(value) == MORE[value]


def test_a_second_from_field_is_in_doubt_even_with_the_same_domain() -> None:
    assert domains("a@example.org", "b@example.com") == ("example.org", "example.com", UNREADABLE)
    assert domains("a@example.org", "b@example.org") == ("example.org", UNREADABLE)
    hidden = b"From: a@example.org\r\n" + b"a:\r\n" * FIELDS_MAX + b"From: b@example.org\r\n"
    assert author_domains(fields_of(hidden)) == ("example.org", UNREADABLE)
    assert author_domains(fields_of(b"Subject: a@example.org\r\n")) == ()


def test_a_value_that_is_too_long_to_be_read_is_not_kept_either() -> None:
    kept = _domains.cache_info().currsize
    assert domains("a@example.org" + " " * FROM_OCTETS_MAX) == (UNREADABLE,)
    assert _domains.cache_info().currsize == kept


def test_too_many_authors_are_one_that_is_not_known() -> None:
    assert domains(", ".join(["a@example.org"] * (AUTHORS_MAX + 1))) == ("example.org", UNREADABLE)


@given(some.binary(max_size=200))
def test_any_octets_may_be_in_it(noise: bytes) -> None:
    author_domains(fields_of(b"From: " + noise))
