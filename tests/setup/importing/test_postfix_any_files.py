"""Whatever stands in Postfix's files, they are read, or refused with a sentence; never with a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondpost.setup.importing.carried import Fate, OldConfigFaults
from secondpost.setup.importing.postfix.settings import DEFAULTS
from tests.setup.importing.postfix_world import completed, imported

EXAMPLES = sorted((Path(__file__).parents[2] / "against/t17_postfix/examples").glob("*/etc/postfix"))
FILES = {
    folder.parent.parent.name: {path.name: path.read_text() for path in folder.iterdir()}
    for folder in EXAMPLES
}

# Octets that are no UTF-8 come as surrogates (PEP 383).
octets = st.binary(max_size=300).map(lambda data: data.decode("utf-8", "surrogateescape"))
names = st.sampled_from(
    [*DEFAULTS, "relayhost", "transport_maps", "relay_recipient_maps", "virtual_alias_maps"]
)
PIECES = (
    *("$", "${", "}", "{", ":", "!", "/", "[", "]", ",", "=", "?", "@", " ", "\n ", "\udcff"),
    *("hash:", "regexp:", "inline:", "static:", "cidr:", "smtp:", "example.org", "/etc/postfix/a"),
    *("reject", "permit", "check_recipient_access"),
)
pieces = st.sampled_from(PIECES)
values = st.lists(pieces, max_size=12).map("".join)
mains = st.lists(st.tuples(names, values), max_size=12).map(
    lambda lines: "relay_domains = example.org\n" + "".join(f"{name} = {value}\n" for name, value in lines)
)


def read(main: str, files: dict[str, str]) -> None:
    try:
        found = imported(main, files)
    except OldConfigFaults:
        return
    completed(found)  # raises if the new file would have a fault
    assert all(len(line.why) > 0 for line in found.report if line.fate is not Fate.CARRIED)


@given(octets, octets, octets)
@settings(max_examples=80, deadline=None)
def test_any_octets(main: str, master: str, table: str) -> None:
    tables = "relay_domains = hash:/etc/postfix/a regexp:/etc/postfix/a cidr:/etc/postfix/a /etc/postfix/a\n"
    read(main + "\n" + tables, {"master.cf": master, "a": table})


@given(mains, values)
@settings(max_examples=100, deadline=None)
def test_any_values(main: str, table: str) -> None:
    read(main, {"a": table, "master.cf": "smtp inet n - y - - smtpd\n"})


@pytest.mark.parametrize("example", sorted(FILES))
@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
def test_examples_with_a_piece_put_in_somewhere(example: str, data: st.DataObject) -> None:
    files = dict(FILES[example])
    name = data.draw(st.sampled_from(sorted(files)))
    text = files[name]
    at = data.draw(st.integers(0, len(text)))
    gap = data.draw(st.integers(0, 20))
    files[name] = text[:at] + data.draw(values) + text[at + gap :]
    read(files.pop("main.cf"), files)
