"""The cases in tests/protocols/dkim: a message (.msg), keys in DNS (.dns), the result (.result).

The messages have plain line ends and are sent with CRLF. Only in them `\\s` is a space that an
editor would remove, and `\\t` a tab. The time is NOW_S.
"""

from pathlib import Path

import pytest

from simulation.signatures import txt_answer, verified

CASES = sorted((Path(__file__).parent / "dkim").glob("*.msg"))
NOW_S = 1_800_000_000


def message_in(path: Path) -> bytes:
    text = path.read_text(encoding="utf-8").replace("\\s", " ").replace("\\t", "\t")
    return text.replace("\n", "\r\n").encode()


def keys_in(path: Path) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_signature_is_found_to_be_what_it_is(case: Path) -> None:
    records = keys_in(case.with_suffix(".dns"))
    found = [
        " ".join(filter(len, (each.result, each.domain, each.selector, each.reason)))
        for each in verified(message_in(case), lambda name: txt_answer(records.get(name)), NOW_S).dkim
    ]
    assert found == case.with_suffix(".result").read_text(encoding="utf-8").splitlines()
