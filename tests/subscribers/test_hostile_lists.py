"""Lists made to be slow, to fill the memory, or to trip a parser."""

import io
import time
import zipfile
from contextlib import suppress

import pytest

from secondpost.subscribers.list_rows import NoList, ReaderRow
from secondpost.subscribers.list_verdicts import REMEMBERED_CHARACTERS_MAX, Judge
from secondpost.subscribers.meanings import Plain
from tests.subscribers.listed import rows, understood

LINE_SECONDS_MAX = 2.0  # of computing, for a list with one such line; the machine of the tests may be slow
PHPLIST = "Email,Is this subscriber confirmed,Is this subscriber blacklisted,Number of bounces,Foreign Key\n"


@pytest.mark.parametrize(
    "line",
    [b" " * 3_000 + b"< @", b"@" * 8_000, b"a at " + b"." * 8_000 + b" x", b'"' * 8_000, b"<@" * 4_000],
    ids=lambda line: line[:4].decode(),
)
@pytest.mark.parametrize("before", [b"", b"ann@example.org\n"])
def test_no_line_keeps_a_pattern_busy(line: bytes, before: bytes) -> None:
    """3,000 blanks before "< @" took 22 seconds."""
    began = time.thread_time()
    understood(before + line + b"\nbob@example.org\n")
    assert time.thread_time() - began < LINE_SECONDS_MAX


def test_a_person_among_quotes_and_blanks_is_still_read() -> None:
    found = rows('  "Lovelace, Ada" <ada@example.org>  \nBob Moss <bob@example.org>\n')
    assert [(str(row.mailbox), row.attributes) for row in found if isinstance(row, ReaderRow)] == [
        ("ada@example.org", (("name", "Lovelace, Ada"),)),
        ("bob@example.org", (("name", "Bob Moss"),)),
    ]


def test_a_number_of_thousands_of_digits_is_a_large_one() -> None:
    [row] = rows(f"{PHPLIST}a@b.cd,1,0,{'9' * 5_000},\n")
    assert isinstance(row, ReaderRow)
    [zero] = rows(f"{PHPLIST}a@b.cd,1,0,0,\n")
    assert rows(f"{PHPLIST}a@b.cd,1,0,{'0' * 5_000},\n") == [zero]


@pytest.mark.parametrize("depth", range(900, 1_000, 3))
def test_json_of_any_depth_is_read_or_refused_by_a_sentence(depth: int) -> None:
    for opened, closed in (('{"a":', "}"), ("[", "]")):
        text = f'[{{"email":"a@b.cd","x":{opened * depth}1{closed * depth}}}]'
        with suppress(NoList):
            assert len(rows(text)) == 1


def test_a_zip_that_lost_its_beginning_is_refused_by_a_sentence() -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("list.csv", "email\nann@example.org\n")
    data = whole.getvalue()
    for lost in range(4, 40):
        with pytest.raises(NoList):
            understood(data[:4] + data[4 + lost :], name="list.zip")


def test_long_cells_are_not_remembered() -> None:
    judge = Judge("status", Plain.KEPT, {})
    judge.of("x" * REMEMBERED_CHARACTERS_MAX)
    judge.of("x" * (REMEMBERED_CHARACTERS_MAX + 1))
    assert [len(cell) for cell in judge._known] == [REMEMBERED_CHARACTERS_MAX]
