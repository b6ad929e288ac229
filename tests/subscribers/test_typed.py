"""Addresses as typed by people."""

import pytest

from secondpost.subscribers.typed import typed_mailbox


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ann@reader.example", "ann@reader.example"),
        (" Ann@Reader.Example\n", "Ann@reader.example"),
        ("<ann@reader.example>", "ann@reader.example"),
        ("mailto:ann@reader.example", "ann@reader.example"),
        ("\ufeffann+news@sub.reader.example\u200b", "ann+news@sub.reader.example"),
        ("ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"),
        ('"ann lee"@reader.example', '"ann lee"@reader.example'),
    ],
)
def test_what_is_meant_is_found(typed: str, meant: str) -> None:
    assert str(typed_mailbox(typed)) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "", "ann", "@reader.example", "ann@", "ann@localhost", "ann@192.0.2.1", "ann@[192.0.2.1]",
        "ann@a..example",
        "ann@-a.example", "ann@a.example.", "ann@b@c.example\n x", "ann@a.example, bob@b.example",
        "a" * 65 + "@reader.example", "ann@" + "a." * 200 + "example",
        "ann@reader.example\r\nBcc: x@y.example",
        "änn@reader.example", "x" * 100_000,
    ],
)  # fmt: skip
def test_what_is_none_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        typed_mailbox(typed)
