"""Whatever stands in smtpd.conf, it is read or refused by its place; and nothing of it opens a relay."""

from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from secondpost.config.faults import ConfigFaults
from secondpost.setup.importing.carried import ImportedServer, OldConfigFaults
from secondpost.setup.importing.opensmtpd.translation import translated
from secondpost.setup.importing.writing import new_files
from tests.setup.importing.old_world import CONF, OldWorld, imported

CASES = Path(__file__).parents[2] / "against/t17_opensmtpd"
TEXTS = [path.read_text() for path in sorted(CASES.glob("*/*/etc/mail/smtpd.conf"))]
WORDS = sorted({word for text in TEXTS for word in text.split()})
PIECES = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(["\n", "\\\n", '"', "{", "}", "<", ">", "!", "=", "$", "#", ","]),
    st.text(),
)


@st.composite
def confs(draw: st.DrawFn) -> str:
    """A real one with pieces put in or taken out, or pieces alone."""
    text = draw(st.sampled_from([*TEXTS, ""]))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        gone = draw(st.integers(0, 8))
        text = f"{text[:at]} {draw(PIECES)} {text[at + gone :]}"
    return text


def read(conf: str, *, is_old: bool) -> ImportedServer | None:
    try:
        return imported(conf, is_old=is_old)
    except OldConfigFaults:
        return None


@given(confs(), st.booleans())
def test_it_is_read_or_refused(conf: str, is_old: bool) -> None:
    found = read(conf, is_old=is_old)
    if found is None:
        return
    with suppress(ConfigFaults):  # such as an address that is listened on twice
        new_files(found, found.answers, "/etc/secondpost/secondpost.toml")


@given(confs())
def test_what_is_translated_can_be_read_again_and_opens_the_same_domains(conf: str) -> None:
    before = read(conf, is_old=True)
    if before is None:
        return
    after = imported(translated(OldWorld({CONF: conf}), CONF).text)
    assert [one.domain for one in after.answers.backups] == [one.domain for one in before.answers.backups]
    assert [one.primary for one in after.answers.backups] == [one.primary for one in before.answers.backups]
