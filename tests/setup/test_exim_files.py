"""How an Exim's files are read: macros, conditions, files within files, and Debian's parts."""

import pytest

from secondpost.setup.answers import NOT_ANSWERED
from secondpost.setup.importing.carried import Fate, OldConfigFaults
from secondpost.setup.importing.exim.lines import (
    LINE_CHARACTERS_MAX,
    PHYSICAL_LINES_MAX,
    Logical,
    Macro,
    Unread,
    logical_lines,
    physical_lines,
)
from secondpost.setup.importing.exim.statements import configuration
from tests.setup.exim_world import ROUTERS, WHOLE, Files, made, relaying


def read(text: str, **files: str) -> list[str]:
    """The texts of the logical lines."""
    found = logical_lines(
        Files({f"/{name}": one for name, one in files.items()}), physical_lines(WHOLE, text)
    )
    return [one.text for one in found if isinstance(one, Logical)]


def unread(text: str, **files: str) -> list[str]:
    found = logical_lines(
        Files({f"/{name}": one for name, one in files.items()}), physical_lines(WHOLE, text)
    )
    return [one.why for one in found if isinstance(one, Unread)]


def test_lines_are_joined_without_comments_between_them() -> None:
    assert read("a = 1 : \\\n   # not this\n   2\nb\n#c\n  d = \\\r\n e") == ["a = 1 : 2", "b", "d = e"]
    # §6.2: an empty line ends it.
    assert read("a = 1 : \\\n\n  b") == ["a = 1 : ", "b"]


def test_macros_are_replaced_also_within_each_other_and_within_words() -> None:
    assert read("A = x\nAB = A-y\nv = AB and A\nA == z\nw = A") == ["v = xB and x", "w = z"]


def test_a_macro_in_its_own_definition_is_its_name() -> None:
    lines = logical_lines(Files({}), physical_lines(WHOLE, "A = 1\nA == A2\nv = A"))
    assert [one.value for one in lines if isinstance(one, Macro)] == ["1", "12"]


def test_conditions() -> None:
    text = """
A = 1
.ifdef A
a
.ifdef B
b
.else
c
.endif
.else
d
.endif
.ifndef B
e
.elifdef A
f
.endif
.ifdef B C
g
.elifdef A
h
.endif
.ifdef _HAVE_TLS
i
.endif
"""
    assert read(text) == ["a", "c", "e", "h", "i"]


def test_files_are_included_where_they_are_named() -> None:
    text = 'DIR = /etc\n.include DIR/a\nx\n.include_if_exists /etc/none\n.include "/etc/b"\n'
    assert read(text, **{"etc/a": "a\n.include /etc/c", "etc/b": "b", "etc/c": "c"}) == ["a", "c", "x", "b"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (".include /etc/none", "/etc/none is not there"),
        (".include none", "absolute path"),
        (f".include {WHOLE}", "would include itself"),
        (".include /etc/a", "would include itself"),
        (".endif", "no condition"),
        (".ifdef A", "no .endif"),
        ("A = 1\n" * (PHYSICAL_LINES_MAX + 1), "more than"),
        ("B = " + "x" * 1000 + "\n" + "C = " + "B" * 1000, f"longer than {LINE_CHARACTERS_MAX}"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, why: str) -> None:
    assert why in unread(text, **{"etc/a": ".include /etc/b", "etc/b": ".include /etc/a"})[0]


def test_statements_have_the_place_at_which_they_begin() -> None:
    text = "\nacl_smtp_rcpt = r\n\nbegin acl\nr:\n  accept\n    domains = \\\n      a.example\n  deny\n"
    old = configuration(logical_lines(Files({}), physical_lines(WHOLE, text)))
    assert [(one.place.line, one.written) for one in old.acls["r"]] == [
        (6, "accept domains = a.example"),
        (9, "deny"),
    ]


def test_values_in_quotes_have_escapes() -> None:
    found = relaying('  accept domains = "example\\056net : club.\\x65xample"')
    assert set(found.backups) == {"example.net", "club.example"}


def test_a_text_that_is_no_configuration_is_a_fault() -> None:
    for text in ("", "hello: world\n", "\x00\udcff", "primary_hostname = a.example\n"):
        with pytest.raises(OldConfigFaults, match="neither ACLs nor routers"):
            made({WHOLE: text})
    with pytest.raises(OldConfigFaults, match="is not there"):
        made({}, WHOLE)


# -- Debian's parts

TEMPLATE = f"""
.ifndef CONFDIR
CONFDIR = /etc/exim4
.endif
UPEX4CmacrosUPEX4C = 1
domainlist local_domains = MAIN_LOCAL_DOMAINS
domainlist relay_to_domains = MAIN_RELAY_TO_DOMAINS
hostlist relay_from_hosts = MAIN_RELAY_NETS
acl_smtp_rcpt = rcpt
.ifdef MAIN_LOCAL_INTERFACES
local_interfaces = MAIN_LOCAL_INTERFACES
.endif
.ifdef MESSAGE_SIZE_LIMIT
message_size_limit = MESSAGE_SIZE_LIMIT
.endif
begin acl
rcpt:
  accept hosts = +relay_from_hosts
  accept domains = +relay_to_domains
{ROUTERS}"""
ANSWERS = """\
# /etc/exim4/update-exim4.conf.conf
dc_eximconfig_configtype='internet'
dc_other_hostnames="mx2.example.net"
dc_local_interfaces='127.0.0.1 ; ::1'
dc_relay_domains='Example.NET;
 club.example'
dc_relay_nets=''
dc_use_split_config='false'
"""
FOLDER = "/etc/exim4"


def debian(answers: str = ANSWERS, **files: str) -> dict[str, str]:
    return {f"{FOLDER}/update-exim4.conf.conf": answers, "/etc/mailname": "mx2.example.net\n"} | {
        f"{FOLDER}/{name}": text for name, text in ({"exim4.conf.template": TEMPLATE} | files).items()
    }


@pytest.mark.parametrize(
    "path", [FOLDER, f"{FOLDER}/", f"{FOLDER}/update-exim4.conf.conf", f"{FOLDER}/exim4.conf.template"]
)
def test_the_answers_given_to_debian(path: str) -> None:
    found = made(debian(), path)
    assert found.backups == {"example.net": ("any",), "club.example": ("any",)}
    assert found.imported.answers.listen == ("127.0.0.1:25", "[::1]:25")
    assert str(found.config.hostname) == "mx2.example.net"
    line = found.line("dc_relay_domains")
    assert (line.place.line, line.fate) == (5, Fate.CARRIED)
    assert line.becomes == (("backup", 0, "domain"), ("backup", 1, "domain"))


def test_domains_in_a_file_are_those_of_the_lines_that_name_it() -> None:
    old = ANSWERS.replace("Example.NET;\n club.example", "/etc/exim4/domains")
    found = made(debian(old, domains="Example.NET # mine\nclub.example\n"), FOLDER)
    for piece in ("dc_relay_domains", "domainlist relay_to_domains"):
        line = found.line(piece)
        assert line.fate is Fate.CARRIED
        assert line.becomes == (("backup", 0, "domain"), ("backup", 1, "domain"))


def test_an_empty_answer_is_nothing_to_think_about() -> None:
    found = made(debian(f"{ANSWERS}dc_readhost=''\ndc_smarthost=''\n"), FOLDER)
    for name in ("dc_relay_nets", "dc_readhost", "dc_smarthost"):
        assert (found.line(name).fate, found.line(name).why) == (Fate.CARRIED, "It is empty.")


def test_aliases_of_the_machine_are_no_list_because_they_have_a_postmaster() -> None:
    acl = "  accept local_parts = postmaster\n         domains = example.net\n"
    acl += "  accept domains = example.net\n         verify = recipient/callout\n"
    acl += "  accept domains = +here\n"
    aliases = """
begin routers
aliases:
  driver = redirect
  domains = +here
  data = ${lookup{$local_part}lsearch{/etc/aliases}}
"""
    files = {"/etc/aliases": "postmaster: root\nroot: me\n"}
    routers = ROUTERS.replace("\nbegin routers\n", aliases)
    found = relaying(acl, "domainlist here = mx2.example.net", routers, files)
    (line,) = (one for one in found.imported.report if one.place.path == "/etc/aliases")
    assert line.fate is Fate.NOT_CARRIED
    assert found.imported.answers.owner == NOT_ANSWERED.owner
    files = {"/etc/aliases": "postmaster: root\nroot: me,\n  me@elsewhere.example\n"}
    found = relaying(acl, "domainlist here = mx2.example.net", routers, files)
    assert found.imported.answers.owner == ("me@elsewhere.example",)
    assert found.line("postmaster: root").becomes == (("owner",),)


def test_a_machine_of_the_kind_none_has_no_macros_of_its_answers() -> None:
    assert made(debian(ANSWERS.replace("internet", "none")), FOLDER).backups == {}


def test_local_macros_come_first() -> None:
    found = made(
        debian(
            **{"exim4.conf.localmacros": "MAIN_RELAY_TO_DOMAINS = shop.example\nMESSAGE_SIZE_LIMIT = 10M\n"}
        ),
        FOLDER,
    )
    assert set(found.backups) == {"shop.example"}
    assert found.config.backups[0].max_size == 10_485_000


def test_pieces_are_joined_by_section_and_name() -> None:
    pieces = {
        "conf.d/main/01_lists": TEMPLATE.partition("begin acl")[0],
        "conf.d/main/00_macros": "MESSAGE_SIZE_LIMIT = 10M",
        "conf.d/main/02_old.dpkg-dist": "domainlist relay_to_domains = *",
        "conf.d/acl/00_header": "begin acl\nrcpt:",
        "conf.d/acl/30_check": "accept",
        "conf.d/acl/30_check.rul": "accept domains = +relay_to_domains",
        "conf.d/router/00_header": "begin routers\nall:\n  driver = dnslookup\n  transport = smtp",
        "conf.d/transport/00_header": "begin transports\nsmtp:\n  driver = smtp",
        **{f"conf.d/{name}/00_header": f"begin {name}" for name in ("retry", "rewrite")},
        "conf.d/auth/00_header": "begin authenticators",
    }
    found = made(debian(ANSWERS.replace("'false'", "'true'"), **pieces), FOLDER)
    assert set(found.backups) == {"example.net", "club.example"}
    assert found.line("message_size_limit").place.path == f"{FOLDER}/conf.d/main/01_lists"


def test_a_part_that_is_missing_is_a_fault_that_names_it() -> None:
    files = debian()
    del files[f"{FOLDER}/exim4.conf.template"]
    with pytest.raises(OldConfigFaults, match="copy all of /etc/exim4"):
        made(files, FOLDER)
    with pytest.raises(OldConfigFaults, match=r"conf\.d/main"):
        made(debian(ANSWERS.replace("'false'", "'true'")), FOLDER)


def test_a_whole_file_beside_the_parts_is_read_instead() -> None:
    whole = f"acl_smtp_rcpt = r\nbegin acl\nr:\n  accept domains = shop.example\n{ROUTERS}"
    assert set(made(debian(**{"exim4.conf": whole}), FOLDER).backups) == {"shop.example"}


# -- options


def test_options_that_live_on() -> None:
    found = relaying(
        "  accept domains = example.net",
        "daemon_smtp_ports = 25 : 2525 : 587\n"
        "local_interfaces = <; 192.0.2.5 ; [192.0.2.6]:26 ; 192.0.2.7.27 ; [2001:db8::1]:465 ; nonsense\n"
        "tls_certificate = /etc/ssl/mx2.pem\n"
        "message_size_limit = 20M\nsmtp_accept_max = 100\nsmtp_accept_max_per_host = 0\nrecipients_max = 50\n"
        "smtp_receive_timeout = 2m\n",
        f"{ROUTERS}begin retry\nfoo.example * F,1h,1m\n* * F,2h,15m; G,16h,1h,1.5; F,10d,6h\n* * F,20d,1h\n",
    )
    assert found.imported.answers.listen == (
        "192.0.2.5:25", "192.0.2.5:2525", "192.0.2.6:26", "192.0.2.7:27",
    )  # fmt: skip
    assert found.imported.answers.key == "/etc/ssl/mx2.pem"
    backup, receive = found.config.backups[0], found.config.receive
    assert (backup.max_size, backup.keep_ms) == (20_971_000, 10 * 86_400_000)
    assert (receive.connections, receive.connections_per_client) == (100, 100)
    assert (receive.recipients, receive.timeout_ms) == (100, 120_000)
    assert found.line("recipients_max").fate is Fate.CHANGED
    assert found.line("smtp_accept_max_per_host").fate is Fate.NOT_CARRIED
    assert "nonsense" in found.line("local_interfaces").why


def test_exims_usual_four_days_do_not_shorten_ours() -> None:
    retry = "begin retry\n* * F,2h,15m; G,16h,1h,1.5; F,4d,6h\n"
    found = relaying("  accept domains = example.net", "", ROUTERS + retry)
    assert found.config.backups[0].keep_ms == 31 * 86_400_000
    assert found.line("F,4d").fate is Fate.CHANGED


def test_the_name_of_a_backup_domain_is_not_the_servers() -> None:
    text = f"acl_smtp_rcpt = r\nbegin acl\nr:\n  accept domains = example.net\n{ROUTERS}"
    found = made({WHOLE: text, "/etc/mailname": "example.net\n"})
    assert found.imported.answers.hostname.endswith(".invalid")  # to be asked for
    assert set(found.backups) == {"example.net"}


def test_every_line_of_the_report_is_whole() -> None:
    found = made(debian(), FOLDER)
    for line in found.imported.report:
        assert line.place.path.startswith("/")
        assert line.fate is Fate.CARRIED or line.why.endswith("."), line
        assert line.text.isprintable()


def test_a_hostname_that_is_no_full_domain_is_not_taken() -> None:
    found = made({WHOLE: "primary_hostname = _.e\nbegin acl\nr:\n"})
    assert found.imported.answers.hostname == NOT_ANSWERED.hostname
    assert found.line("primary_hostname").fate is Fate.NOT_CARRIED
