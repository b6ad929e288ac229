"""What counts as a name is what a question can be written for."""

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.protocols.dns.lookup import DnsQuestion, RecordType
from secondpost.protocols.dns.names import is_at_or_below, is_name
from secondpost.world.real.dns_message import write_question

LONGEST = ".".join(["a" * 63] * 3 + ["b" * 61])


@pytest.mark.parametrize(
    "text", ["example.net", "com", "a b.example", "foo:bar/baz.example", "a" * 63, LONGEST]
)
def test_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text", ["", ".", "a..b", ".a", "a.", "a" * 64, "b" + LONGEST, "a\\.b", "a\x00.b", "a\n.b", "ü.example"]
)
def test_no_names(text: str) -> None:
    assert not is_name(text)


@given(st.lists(st.text(st.characters(max_codepoint=0x7F), max_size=64), max_size=6).map(".".join))
def test_a_question_has_the_very_labels_of_its_name(text: str) -> None:
    if is_name(text) and text != "@":  # which stands for the root
        wire = write_question(DnsQuestion(text.lower(), RecordType.A), 1)
        labels = dns.message.from_wire(wire).question[0].name.labels
        assert [label.decode() for label in labels[:-1]] == text.lower().split(".")


def test_a_name_below_ends_with_whole_labels() -> None:
    assert is_at_or_below("example.net", "example.net")
    assert is_at_or_below("a.example.net", "example.net")
    assert not is_at_or_below("badexample.net", "example.net")
    assert not is_at_or_below("net", "example.net")
