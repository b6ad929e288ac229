"""Recipients files: the addresses of a backup domain."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.config.recipients import (
    FAULTS_SHOWN_MAX,
    RecipientFaults,
    parse_recipients,
    read_recipients,
)
from secondpost.mail.address import Domain, Mailbox

DOMAIN = Domain("example.org")


def keys_of(text: str) -> set[str]:
    return set(parse_recipients(text, DOMAIN).keys)


def faults_of(text: str) -> list[str]:
    with pytest.raises(RecipientFaults) as caught:
        parse_recipients(text, DOMAIN)
    return list(caught.value.texts("list"))


def test_addresses_and_local_parts() -> None:
    assert keys_of("me@example.org\nPostmaster\n") == {"me@example.org", "postmaster@example.org"}


def test_comments_blank_lines_and_windows() -> None:
    text = "\ufeff# the family\r\n\r\n  me@EXAMPLE.org\t# that is me\r\nyou\r\n"
    assert keys_of(text) == {"me@example.org", "you@example.org"}


def test_a_hash_inside_an_address_belongs_to_it() -> None:
    assert keys_of("me#1@example.org # not this\n") == {"me#1@example.org"}


def test_quoted_local_parts() -> None:
    assert keys_of('"me too"@example.org\n"me"@example.org\n') == {"me too@example.org", "me@example.org"}


def test_two_spellings_are_one_recipient() -> None:
    found = parse_recipients("Me@example.org\nme\n", DOMAIN)
    assert len(found.keys) == 1
    assert Mailbox.parse("ME@example.org") in found
    assert Mailbox.parse("you@example.org") not in found


def test_an_international_domain() -> None:
    found = parse_recipients("meg@blåbær.example\nanne\n", Domain("xn--blbr-roah.example"))
    assert found.keys == {"meg@xn--blbr-roah.example", "anne@xn--blbr-roah.example"}


def test_a_local_part_in_utf8_however_it_is_composed() -> None:
    found = parse_recipients("ø\nJose\u0301@example.org\n", DOMAIN)
    assert found.keys == {"ø@example.org", "jos\u00e9@example.org"}
    assert Mailbox.parse_utf8("JOS\u00c9@example.org") in found
    assert faults_of("a\u202eb\n") == [
        "list:1: 'a\\u202eb@example.org' is not an address: it has characters that show nothing"
    ]


def test_all_faults_at_once_each_with_its_line() -> None:
    text = "me@example.org OK\n\n@example.org\n*\nyou@example.net\nb ø\nfine\n\ta@b@example.org\n"
    assert faults_of(text) == [
        'list:1: "me@example.org OK" is more than one address; write one per line',
        'list:3: "@example.org" would mean every address: for that, write "any" in the configuration',
        'list:4: "*" would mean every address: for that, write "any" in the configuration',
        'list:5: "you@example.net" is not an address of example.org',
        'list:6: "b ø" is more than one address; write one per line',
        "list:8: 'a@b@example.org' is not an address: 'a@b' is not a local part",
    ]


def test_a_list_of_nobody_is_refused() -> None:
    assert faults_of("# soon\n") == ["list: it has no entries, so all mail would be refused"]
    assert faults_of("") == ["list: it has no entries, so all mail would be refused"]


def test_a_list_of_another_kind_is_not_told_line_by_line() -> None:
    told = faults_of("no address\n" * 1000)
    assert len(told) == FAULTS_SHOWN_MAX + 1
    assert told[-1] == f"list: and {1000 - FAULTS_SHOWN_MAX} more lines"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, reason in (
        (str(tmp_path), "it cannot be read: Is a directory"),
        (str(tmp_path / "missing"), "it cannot be read: No such file or directory"),
        ("a\0b", "it cannot be read: embedded null byte"),
    ):
        with pytest.raises(RecipientFaults) as caught:
            read_recipients(path, DOMAIN)
        assert caught.value.texts("list") == (f"list: {reason}",)
    latin = tmp_path / "latin"
    latin.write_bytes(b"me\nbj\xf8rn\n")
    with pytest.raises(RecipientFaults) as caught:
        read_recipients(str(latin), DOMAIN)
    assert caught.value.texts("list") == ("list:2: this is not UTF-8 text",)


def test_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "people"
    path.write_text("me\n")
    assert read_recipients(str(path), DOMAIN).keys == {"me@example.org"}


@given(st.text(max_size=200))
def test_any_text_is_a_list_of_the_domain_or_has_faults(text: str) -> None:
    with suppress(RecipientFaults):
        found = parse_recipients(text, DOMAIN)
        assert len(found.keys) > 0
        assert all(key.endswith("@example.org") for key in found.keys)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "recipients"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/zero")):
        with pytest.raises(RecipientFaults):
            read_recipients(str(path), Domain("example.net"))
