"""Lists of readers as people and other programs write them. A list is a text in the test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.subscribers.lists import (
    BadRow,
    NoList,
    Row,
    encoding_of,
    plain_cell,
    rows_of,
    safe_cell,
)


def read(text: str) -> list[Row | BadRow]:
    return list(rows_of(text.splitlines(keepends=True)))


def addresses(text: str) -> list[str]:
    return [str(row.mailbox) for row in read(text) if isinstance(row, Row)]


def wanted(text: str) -> list[tuple[str, bool]]:
    return [(str(row.mailbox), not row.is_gone) for row in read(text) if isinstance(row, Row)]


@pytest.mark.parametrize(
    "text",
    [
        "a@example.org\nb@example.org\n",
        "email\na@example.org\nb@example.org\n",
        "Email Address,First Name\na@example.org,Ann\nb@example.org,Bob\n",
        "name;E-Mail\nAnn;a@example.org\nBob;b@example.org\n",
        "id\temail\n1\ta@example.org\n2\tb@example.org\n",
        "\ufeffemail\r\na@example.org\r\n\r\nb@example.org\r\n",
        "\n\nemail\n<a@example.org>\n b@example.org \n",
        '"email"\n"a@example.org"\n"b@example.org"',
        "Ann,a@example.org\nBob,b@example.org\n",
    ],
)
def test_every_common_form_is_read(text: str) -> None:
    assert addresses(text) == ["a@example.org", "b@example.org"]


def test_listmonk() -> None:
    text = (
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        '1,a@example.org,Ann,"{""city"": ""Oslo"", ""visits"": 3}",enabled,2026-01-01,2026-01-01\n'
        "2,b@example.org,Bob,{},disabled,2026-01-01,2026-01-01\n"
        "3,c@example.org,Cid,not json,blocklisted,2026-01-01,2026-01-01\n"
    )
    assert wanted(text) == [("a@example.org", True), ("b@example.org", False), ("c@example.org", False)]
    first = read(text)[0]
    assert isinstance(first, Row)
    assert ("city", "Oslo") in first.attributes
    assert ("visits", "3") in first.attributes
    assert ("name", "Ann") in first.attributes


def test_mailchimp() -> None:
    subscribed = (
        "Email Address,First Name,OPTIN_TIME,CONFIRM_IP\na@example.org,Ann,2026-01-01 10:00:00,192.0.2.1\n"
    )
    cleaned = "Email Address,CLEAN_TIME\na@example.org,2026-01-01 10:00:00\n"
    left = "Email Address,UNSUB_TIME,UNSUB_REASON\na@example.org,2026-01-01 10:00:00,N/A\n"
    assert [wanted(text) for text in (subscribed, cleaned, left)] == [
        [("a@example.org", True)],
        [("a@example.org", False)],
        [("a@example.org", False)],
    ]


def test_ghost() -> None:
    text = (
        "id,email,name,note,subscribed_to_emails,labels,created_at\n"
        "1,a@example.org,Ann,,true,,2026-01-01\n2,b@example.org,Bob,,false,,2026-01-01\n"
    )
    assert wanted(text) == [("a@example.org", True), ("b@example.org", False)]


def test_substack() -> None:
    text = (
        "email,active_subscription,expiry,plan,email_disabled,created_at\n"
        "a@example.org,false,,other,false,2026-01-01\nb@example.org,true,,annual,true,2026-01-01\n"
    )
    assert wanted(text) == [("a@example.org", True), ("b@example.org", False)]


def test_someone_who_never_confirmed_elsewhere_is_not_confirmed_here() -> None:
    rows = read("email,status\na@example.org,unconfirmed\nb@example.org,enabled\n")
    assert [row.is_waiting for row in rows if isinstance(row, Row)] == [True, False]


@pytest.mark.parametrize(
    ("state", "is_gone", "is_waiting", "is_unclear"),
    [
        ("Subscribed", False, False, False),
        ("", False, False, False),
        ("opted-out", True, False, False),
        ("Opted Out", True, False, False),
        ("un-subscribed", True, False, False),
        ("hard_bounced", True, False, False),
        ("no", True, False, False),
        ("non-subscribed", False, True, False),
        ("Abgemeldet", False, True, True),
        ("0", False, True, True),
    ],
)
def test_a_status_that_is_not_known_makes_nobody_a_reader(
    state: str, is_gone: bool, is_waiting: bool, is_unclear: bool
) -> None:
    [row] = read(f"email,status\na@example.org,{state}\n")
    assert isinstance(row, Row)
    assert (row.is_gone, row.is_waiting, row.is_unclear) == (is_gone, is_waiting, is_unclear)


@pytest.mark.parametrize(
    ("column", "value", "is_gone", "is_unclear"),
    [
        ("unsubscribed", "", False, False),
        ("unsubscribed", "no", False, False),
        ("unsubscribed", "2024-01-05", True, False),
        ("unsubscribed", "x", False, True),
        ("bounced", "3", True, False),
        ("bounced", "0", False, False),
        ("bounced", "hard", False, True),
        ("Opted Out", "yes", True, False),
        ("opt_out", "1", True, False),
        ("subscribed", "yes", False, False),
        ("subscribed", "active", False, False),
        ("subscribed", "unsubscribed", True, False),
        ("subscribed", "never", False, True),
    ],
)
def test_a_column_of_yes_and_no_that_says_neither_makes_nobody_a_reader(
    column: str, value: str, is_gone: bool, is_unclear: bool
) -> None:
    [row] = read(f"email,{column}\na@example.org,{value}\n")
    assert isinstance(row, Row)
    assert (row.is_gone, row.is_unclear, row.is_waiting) == (is_gone, is_unclear, is_unclear)


def test_where_somebody_lives_is_no_address_of_mail() -> None:
    assert addresses("name,address,email\nAnn,1 Main Street,a@example.org\n") == ["a@example.org"]
    assert addresses("name,address\nAnn,a@example.org\n") == ["a@example.org"]


@pytest.mark.parametrize("text", ["=x@a.example", "'=x@a.example", "''+x@a.example", "'x@a.example", "-1"])
def test_what_a_spreadsheet_would_compute_comes_back_as_it_was(text: str) -> None:
    assert not safe_cell(text).startswith(("=", "+", "-"))
    assert plain_cell(safe_cell(text)) == text


def test_a_bad_line_is_named_and_not_repeated() -> None:
    rows = read('email,name\nnobody,Ann\na@example.org,Bob\n,Cid\n"x\ny",Two lines\nb@localhost,Dan\n')
    assert [(row.line, isinstance(row, BadRow)) for row in rows] == [
        (2, True),
        (3, False),
        (4, True),
        (5, True),
        (7, True),
    ]
    assert "nobody" not in str(rows[0])


def test_a_line_that_is_too_short_is_named() -> None:
    assert str(read("name,email\nAnn\n")[0]) == "line 2: it has 1 columns, and the address is in number 2"


@pytest.mark.parametrize("text", ["name,phone\nAnn,123\n", "<html>\n", "{}"])
def test_what_is_no_list_says_so(text: str) -> None:
    with pytest.raises(NoList):
        read(text)


def test_an_empty_file_has_no_rows() -> None:
    assert read("") == read("\n \n") == []


def test_an_international_domain_is_read() -> None:
    assert addresses("email\nann@bücher.example\n") == ["ann@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("text", "found", "named"),
    [
        ('"Ann\nb@example.org,Bob\nc@example.org,Cid\n', [], "nothing up to line 4 was read"),
        ('"Ann\nb@example.org,"Bob"\nc@example.org,Cid\n', ["c@example.org"], "up to line 3 was read"),
        ('"Ann\nof two lines"\nb@example.org,Bob\n', ["a@example.org", "b@example.org"], ""),
        ('Ann "Nan" X\nb@example.org,Bob\n', ["a@example.org", "b@example.org"], ""),
    ],
)
def test_a_quotation_mark_that_is_not_closed_swallows_nobody_in_silence(
    text: str, found: list[str], named: str
) -> None:
    rows = read(f"email,name\na@example.org,{text}")
    assert [str(row.mailbox) for row in rows if isinstance(row, Row)] == found
    assert [named in row.why for row in rows if isinstance(row, BadRow)] == ([True] if named else [])


def test_a_first_line_without_end_is_no_list() -> None:
    with pytest.raises(NoList, match="first line cannot be read"):
        read("x" * 200_000 + "\na@example.org\n")


def test_half_a_character_in_json_is_none() -> None:
    (row,) = read('email,attributes\na@example.org,"{""a\\ud800"": ""b\\udfff""}"\n')
    assert isinstance(row, Row)
    assert row.attributes == (("a?", "b?"),)


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"email\n", "utf-8-sig"),
        (b"\xef\xbb\xbfemail\n", "utf-8-sig"),
        ("email\n".encode("utf-16"), "utf-16"),
        ("J\u00fcrgen".encode("cp1252"), "cp1252"),
        ("J\u00fcrgen".encode()[:2], "utf-8-sig"),
    ],
)
def test_the_encoding_is_found(head: bytes, encoding: str) -> None:
    assert encoding_of(head) == encoding


@given(st.text())
def test_a_cell_is_safe_and_comes_back(text: str) -> None:
    safe = safe_cell(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    if safe != text or not text.startswith("'"):
        assert plain_cell(safe) == text


@given(st.text(alphabet='abc@.,;"\n\r\t\x00=é'))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        for row in rows_of(text.splitlines(keepends=True)):
            assert row.line >= 1
    except NoList:
        pass
