"""Where a Postfix passed mail on, its logins, and the report as a whole."""

import pytest

from secondpost.setup.importing.carried import Fate, OldConfigFaults
from tests.setup.importing.postfix_world import FOLDER, LEAST, completed, imported, line_of

PASSWORD = "correct:horse"
LOGIN = """\
relayhost = [smtp.isp.example]:587
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
"""
SASL = {"sasl_passwd": f"# secret\n[smtp.isp.example]:587 me@isp.example:{PASSWORD}\n"}


@pytest.mark.parametrize(
    ("entry", "primary"),
    [
        ("smtp:[192.0.2.7]", ("192.0.2.7",)),
        ("relay:[192.0.2.7]:2525", ("192.0.2.7:2525",)),
        ("smtp:[2001:db8::7]:submission", ("[2001:db8::7]:587",)),
        ("smtp:[ipv6:2001:db8::7]", ("2001:db8::7",)),
        ("smtp:[a.example], [b.example]:26", ("a.example", "b.example:26")),
        ("smtp:mx.example.com", ("mx.example.com",)),
        (":[mx.example.com]", ("mx.example.com",)),
        ("slow:[mx.example.com]", ("mx.example.com",)),
        ("smtp:", ()),
        ("relay", ()),
        ("smtp:example.org", ()),
        (":", ("192.0.2.1",)),
        ("smtp:[127.0.0.1]:10024", ("127.0.0.1:10024",)),
    ],
)
@pytest.mark.parametrize("key", ["example.org", "*", ".org"])
def test_a_transport_becomes_the_primary(entry: str, primary: tuple[str, ...], key: str) -> None:
    main = f"{LEAST}relay_transport = relay:[192.0.2.1]\ntransport_maps = hash:/etc/postfix/transport\n"
    master = "smtp inet n - y - - smtpd\nslow unix - - y - - smtp\n"
    found = imported(main, {"transport": f"{key} {entry}\n", "master.cf": master})
    completed(found)
    assert found.answers.backups[0].primary == primary


def test_a_name_whose_mx_records_were_asked_is_said_to_be_the_host_itself() -> None:
    found = imported(f"{LEAST}relay_transport = smtp:hub.example.com\n")
    assert line_of(found, "relay_transport").fate is Fate.CHANGED
    plain = imported(f"{LEAST}relay_transport = smtp:hub.example.com\ndisable_dns_lookups = yes\n")
    assert line_of(plain, "relay_transport").fate is Fate.CARRIED


def test_without_dns_the_domain_itself_is_the_primary() -> None:
    found = imported(f"{LEAST}smtp_dns_support_level = disabled\n")
    assert found.answers.backups[0].primary == ("example.org",)


def test_a_relayhost_takes_our_own_mail_and_that_of_the_domains() -> None:
    found = imported(f"{LEAST}relayhost = [192.0.2.9]:26\nsmtp_fallback_relay = [192.0.2.10]\n")
    completed(found)
    assert found.answers.smart_host is not None
    assert found.answers.smart_host.host == "192.0.2.9:26"
    assert found.answers.backups[0].primary == ("192.0.2.9:26", "192.0.2.10")


def test_a_login_is_carried_and_its_password_is_shown_nowhere() -> None:
    found = imported(f"{LEAST}{LOGIN}", SASL)
    made = completed(found)
    assert found.secrets == {"passwords/smtp.isp.example": f"{PASSWORD}\n"}
    route = made.config.routes[1]
    assert (str(route.domain), str(route.host), route.username) == (
        "example.org",
        "smtp.isp.example:587",
        "me@isp.example",
    )
    assert route.password_file == "/etc/secondpost/passwords/smtp.isp.example"
    assert PASSWORD not in repr(found.report) + repr(found)


@pytest.mark.parametrize(
    "secret",
    [
        "smtp_sasl_password_maps = static:me:hunter2",
        "smtp_sasl_password_maps = inline:{ { [smtp.isp.example]:587 = me:hunter2 } }",
        "smtp_sasl_password_maps = me:hunter2",
        "[smtp.isp.example]:587 me:hunter2",
        "relay_domains = mysql:{ password=hunter2 }",
        "my_bind_pw = hunter2",
        "db_pass = hunter2",
        "db_password = hunter2",
        "api_secret = hunter2",
        "import_environment = MAIL_CONFIG TOKEN_PASSWORD=hunter2",
        "virtual_alias_maps = mysql:{ user=me password=hunter2 }",
    ],
)
def test_passwords_in_main_cf_are_not_shown(secret: str) -> None:
    main = f"{LEAST}relayhost = [smtp.isp.example]:587\nsmtp_sasl_auth_enable = yes\n{secret}\n"
    master = "smtp inet n - y - - smtpd\n -o other_password=hunter2\n"
    found = imported(main, {"master.cf": master})
    assert "hunter2" not in repr(found.report) + repr(found.answers) + repr(found.lists)


def test_a_login_that_cannot_be_read_is_said() -> None:
    for files, why in [({}, "cannot be read"), ({"sasl_passwd": "[smtp.isp.example]:587 me\n"}, "USERNAME")]:
        line = line_of(imported(f"{LEAST}{LOGIN}", files), "smtp_sasl_password_maps")
        assert line.fate is Fate.NOT_CARRIED
        assert why in line.why


def test_a_demand_for_tls_is_carried_with_a_route() -> None:
    main = f"{LEAST}relay_transport = relay:[mx.example.org]\nsmtp_tls_security_level = secure\n"
    made = completed(imported(main))
    (route,) = made.config.routes
    assert (str(route.domain), str(route.host), str(route.tls)) == (
        "example.org",
        "mx.example.org:25",
        "verify",
    )


def test_each_line_is_reported_once_and_a_repeated_one_says_which_counts() -> None:
    main = f"# mine\n{LEAST}soft_bounce = no\nmy_own = 1\nnever_heard = 2\n"
    main += "other = $my_own\nsoft_bounce = yes\nbroken\n"
    found = imported(main)
    lines = [line.place.line for line in found.report if line.place.line > 0]
    assert lines == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    by_line = {line.place.line: line for line in found.report}
    assert "Line 9" in by_line[5].why
    assert (by_line[6].fate, by_line[7].fate, by_line[9].fate) == (
        Fate.CARRIED,
        Fate.NOT_CARRIED,
        Fate.NOT_CARRIED,
    )
    assert all(len(line.why) > 0 for line in found.report if line.fate is not Fate.CARRIED)


def test_lines_that_only_decide_about_others_are_said_to_count() -> None:
    main = f"{LEAST}parent_domain_matches_subdomains =x\nfallback_relay = [192.0.2.5]\nsoft_bounce = no\n"
    found = imported(f"{main}relay_transport = relay:[192.0.2.4]\n")
    assert found.answers.backups[0].primary == ("192.0.2.4", "192.0.2.5")
    for name in ("parent_domain", "fallback_relay", "soft_bounce", "relay_transport"):
        assert line_of(found, name).fate is Fate.CARRIED


def test_postconf_n_from_standard_input() -> None:
    found = imported("", {"-": LEAST}, "-")
    assert [backup.domain for backup in found.answers.backups] == ["example.org"]


@pytest.mark.parametrize(
    ("main", "path", "says"),
    [
        ("", FOLDER, "main.cf: it has no line NAME = VALUE"),
        ("# nothing\n", FOLDER, "main.cf: it has no line NAME = VALUE"),
        (LEAST, "/nowhere", "/nowhere: it cannot be read"),
        (
            "a = 1\nrelay_domains = $x\nx = $y\ny = $x\n",
            FOLDER,
            "main.cf:2: relay_domains: its $names lead in a circle",
        ),
    ],
)
def test_what_cannot_be_read_at_all_is_a_fault(main: str, path: str, says: str) -> None:
    with pytest.raises(OldConfigFaults) as faults:
        imported(main, path=path)
    assert says in str(faults.value)


def test_a_domain_that_goes_to_an_address_of_this_server_is_left_out() -> None:
    main = f"{LEAST}inet_interfaces = 192.0.2.9\nrelay_domains = example.org, example.net\n"
    found = imported(
        f"{main}transport_maps = hash:/etc/postfix/ways\n", {"ways": "example.org smtp:[192.0.2.9]\n"}
    )
    completed(found)
    assert [backup.domain for backup in found.answers.backups] == ["example.net"]
    assert "circles" in line_of(found, "example.org").why


@pytest.mark.parametrize("key", ["[2001:db8::1]:587", "[2001:db8::1]", "2001:db8::1"])
def test_the_password_for_an_address_of_ipv6_has_its_name(key: str) -> None:
    main = f"{LEAST}relayhost = [2001:db8::1]:587\nsmtp_sasl_auth_enable = yes\n"
    found = imported(
        f"{main}smtp_sasl_password_maps = hash:/etc/postfix/logins\n", {"logins": f"{key} me:secret\n"}
    )
    completed(found)
    assert found.secrets == {"passwords/2001:db8::1": "secret\n"}
