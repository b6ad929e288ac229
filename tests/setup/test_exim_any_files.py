"""Whatever an Exim's files hold, they are read or said to be unreadable; what comes of them has no faults."""

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.setup.importing.carried import Fate, OldConfigFaults
from tests.setup.exim_world import ROUTERS, WHOLE, made
from tests.setup.test_exim_files import ANSWERS, FOLDER, TEMPLATE, debian

FULL: Final = f"""\
primary_hostname = mx2.example.net
domainlist relay_to_domains = example.net : lsearch;/etc/exim4/table : ! x.example : *.example
addresslist known = lsearch;/etc/exim4/users
hostlist relay_from_hosts = <; 192.0.2.0/24 ; ::1
acl_smtp_rcpt = rcpt
message_size_limit = 20M
local_interfaces = <; 192.0.2.5
M = /etc/exim4
.include_if_exists M/more
begin acl
rcpt:
  deny local_parts = ^[.] : ^.*[@%!]
  accept hosts = +relay_from_hosts
  deny domains = example.net
       !recipients = +known
  accept domains = +relay_to_domains
         condition = ${{if match{{$domain}}{{\\N^.*\\.example\\N}}{{yes}}{{no}}}}
         endpass
         verify = recipient/callout=30s,defer_ok
  accept domains = example.net
{ROUTERS}
begin retry
* * F,2h,15m; F,9d,6h
begin authenticators
a:
  driver = plaintext
  client_send = ^me^secret
"""
BESIDE: Final = {
    f"{FOLDER}/table": "club.example: 192.0.2.1\n",
    f"{FOLDER}/users": "anna@example.net: x\n",
    f"{FOLDER}/more": "smtp_accept_max = 10\n",
}
# fmt: off
PIECES: Final = st.sampled_from([
    "${if ", "${lookup{", "}", "{", "$", "\\", "\\\n", "\x00", "\udc80", ":", "!", "+", "*", "^(", "[[", "@",
    ".ifdef X\n", ".endif\n", f"\n.include {WHOLE}\n", "\nbegin acl\n", "\nA = AA\n", "\nAA == BA\n", "²",
    "lsearch;", "\n", '"', "accept ", "deny ", "domains = *\n", "::", "<; ", "9" * 21, " = ",
])
# fmt: on


@st.composite
def mangled(draw: st.DrawFn, text: str) -> str:
    """The text with pieces put in, lines doubled or left out."""
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(text)))
        end = at + draw(st.integers(0, 40))
        text = (
            text[:at] + draw(st.one_of(PIECES, st.text(max_size=8), st.just(text[at:end] * 2))) + text[end:]
        )
    return text


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), mangled(FULL)), mangled("".join(BESIDE.values())))
def test_any_text_as_the_whole_file(text: str, table: str) -> None:
    read({**BESIDE, WHOLE: text, f"{FOLDER}/table": table, f"{FOLDER}/users": table}, WHOLE)


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.text(), mangled(ANSWERS)), mangled(TEMPLATE))
def test_any_text_as_debians_answers(answers: str, template: str) -> None:
    read(debian(answers, **{"exim4.conf.template": template}), FOLDER)


def test_the_text_before_it_is_mangled() -> None:
    found = made({**BESIDE, WHOLE: FULL}, WHOLE)
    assert found.backups == {"example.net": ("file:recipients/example.net",), "club.example": ("learn",)}
    assert found.imported.lists == {"recipients/example.net": "anna@example.net\n"}


def read(files: dict[str, str], path: str) -> None:
    """Its configuration is checked as the command does; what is carried lives on somewhere."""
    try:
        found = made(files, path)
    except OldConfigFaults:
        return  # it names what is amiss
    for line in found.imported.report:
        assert len(line.becomes) == 0 or line.fate is not Fate.NOT_CARRIED, line
        assert line.fate is Fate.CARRIED or line.why != "", line
