"""Whatever a service answers, a finding or a sentence comes of it, fit for the log."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.protocols.service_questions import ServiceAnswer
from secondpost.watch.reach.register import RegisterForm, RegisterSearch

from .answered import ANSWERS, READERS, answer_in, asked_of_register

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
GOOD = [ANSWERS / f"{name}.answer" for name in ("globalping/measurement", "atlas/traces", "atlas/networks")]
MARKS = (b";", b'"', b'""', b" | ", b"|", b"/", b":", b"://", b"@", b"0/0", b"\xd4", b"\r", b"Updated:")
NAMED = (b"192.0.2.25", b"2001:DB8::25", b"*.provider.example", b"mx1.provider.example")
LINE = st.lists(st.sampled_from((*MARKS, *NAMED)), max_size=20).map(b"".join)


@pytest.mark.parametrize("question", READERS)
@given(document=JSON, status=st.sampled_from([200, 201, 202, 204, 302, 400, 429, 500]))
def test_any_document_is_understood_or_refused(question: str, document: object, status: int) -> None:
    body = json.dumps(document).encode()
    assert all(line.isprintable() for line in READERS[question](ServiceAnswer(status, {}, body)))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
@given(data=st.data())
def test_a_good_answer_with_another_value_somewhere(path: Path, data: st.DataObject) -> None:
    document = json.loads(answer_in(path).body)
    node, places = document, 0
    while isinstance(node, dict | list) and len(node) > 0 and places < 8:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        inner = node[key]
        if not isinstance(inner, dict | list) or data.draw(st.integers(0, 3)) == 0:
            node[key] = data.draw(JSON)
            break
        node, places = inner, places + 1
    question = f"{path.parent.name}/{path.stem}"
    body = json.dumps(document).encode()
    assert all(line.isprintable() for line in READERS[question](ServiceAnswer(200, {}, body)))


@given(st.lists(LINE, max_size=6))
def test_any_line_of_a_register_is_a_record_or_another_form(lines: list[bytes]) -> None:
    search = RegisterSearch(asked_of_register())
    try:
        search.feed(b"Updated: 2029-01-05\n" + b"\n".join(lines))
        search.end_file()
    except RegisterForm:
        return
    ours = {*asked_of_register().addresses, *asked_of_register().names}
    assert {hit.subject for hit in search.read().hits} <= ours
