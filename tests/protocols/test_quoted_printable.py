"""Quoted-printable with holes: reading it back gives the text with the values filled in."""

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as some

from secondpost.mail.issue_content import Hole
from secondpost.protocols.dkim.canonical import relaxed_lines
from secondpost.protocols.mime.quoted_printable import TextFault, encoded, filling, pieces_and_holes

VALUES = {
    Hole.LEAVE_URL: "https://mx2.example.net/leave/" + "a" * 40,
    Hole.ME_URL: "https://mx2.example.net/me/b?c=d&e=f",
    Hole.CONFIRM_URL: "mailto:" + "x" * 64 + "@" + "y" * 180 + ".example",
    Hole.VIEW_URL: "",
    Hole.ADDRESS: '"two  spaces and = signs"@example.org',
}
TEXTS = some.lists(
    some.text(
        alphabet=some.characters(exclude_categories=["Cs"], exclude_characters="\r\ufdd0\ufdd1"), max_size=90
    )
    | some.sampled_from([hole.marker for hole in Hole])
    | some.sampled_from(["\n", " ", "\t", "=", ".", "From ", "\n\n"]),
    max_size=12,
).map("".join)


def filled(text: str) -> str:
    pieces, holes = pieces_and_holes(text)
    assert len(pieces) == len(holes) + 1
    joined = pieces[0]
    for hole, piece in zip(holes, pieces[1:], strict=True):
        joined += filling(VALUES[hole]) + piece
    assert joined.isascii()
    assert joined.endswith("\r\n")
    assert max(map(len, joined.split("\r\n"))) <= 76
    assert not any(line.endswith((" ", "\t")) for line in joined.split("\r\n"))
    return joined


@given(TEXTS)
def test_what_is_read_back_is_the_text_with_the_values(text: str) -> None:
    expected = text
    for hole, value in VALUES.items():
        expected = expected.replace(hole.marker, value)
    read = quopri.decodestring(filled(text).replace("\r\n", "\n").encode()).decode()
    assert read.removesuffix("\n") == expected.removesuffix("\n")


@given(TEXTS)
def test_what_fills_a_hole_changes_no_canonical_form_around_it(text: str) -> None:
    """So the relaxed form of each piece can be computed once for all readers."""
    pieces, holes = pieces_and_holes(text)
    relaxed = relaxed_lines(pieces[0].encode())
    for hole, piece in zip(holes, pieces[1:], strict=True):
        relaxed += filling(VALUES[hole]).encode() + relaxed_lines(piece.encode())
    assert relaxed == relaxed_lines(filled(text).encode())


def test_any_line_end_is_one() -> None:
    assert encoded("a\r\nb\rc\nd") == "a\r\nb\r\nc\r\nd"


def test_a_line_that_begins_like_a_separator_of_mailboxes_is_encoded() -> None:
    assert encoded("From here on") == "=46rom here on"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("\ufdd0NOTHING\ufdd1", "unknown hole"),
        ("\ufdd0LEAVE_URL", "stands alone"),
        ("a lone surrogate \udc80", "not Unicode"),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused(text: str, fault: str) -> None:
    with pytest.raises(TextFault, match=fault):
        pieces_and_holes(text)
