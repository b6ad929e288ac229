"""The recipients of a Postfix's domains here, and the report on checks that have no counterpart here."""

import pytest

from secondpost.setup.answers import BackupAnswer
from secondpost.setup.importing.carried import Fate, ImportedServer
from tests.setup.importing.postfix_world import LEAST, completed, imported, line_of


def only(found: ImportedServer) -> BackupAnswer:
    completed(found)  # the new file is without fault
    (backup,) = found.answers.backups
    return backup


def listed(found: ImportedServer) -> list[str]:
    (text,) = found.lists.values()
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_without_a_list_any_recipient_is_taken() -> None:
    assert only(imported(LEAST)).recipients == ("any",)


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        ("hash:/etc/postfix/people", ["anna@example.org", "bert@example.org"]),
        ("regexp:/etc/postfix/named", ["anna@example.org", "carl@example.org"]),
        ("hash:/etc/postfix/people regexp:/etc/postfix/named", ["anna", "bert", "carl"]),
        ("pipemap:{hash:/etc/postfix/people, inline:{x=y}}", ["anna@example.org", "bert@example.org"]),
    ],
)
def test_listed_recipients_become_a_file(maps: str, expected: list[str]) -> None:
    files = {
        "people": "# ours\nAnna@example.org x\nbert@example.org x\n\nd@other.example x\nnone@example.org\n",
        "named": "/^(anna|carl)@example\\.org$/ x\n",
    }
    found = imported(f"{LEAST}relay_recipient_maps = {maps}\n", files)
    assert only(found).recipients == ("file:recipients/example.org",)
    assert sorted(listed(found)) == [name if "@" in name else f"{name}@example.org" for name in expected]
    assert "postmaster" in line_of(found, "relay_recipient_maps").why


def test_a_catch_all_is_any() -> None:
    found = imported(f"{LEAST}relay_recipient_maps = inline:{{ {{@example.org = x}} }}\n")
    assert only(found).recipients == ("any",)


@pytest.mark.parametrize("maps", ["ldap:/etc/postfix/ldap.cf", "regexp:/etc/postfix/shapes", "hash:/missing"])
def test_what_cannot_be_listed_is_asked_of_the_primary(maps: str) -> None:
    files = {"shapes": "/^[a-z]\\.[a-z]+@example\\.org$/ x\n"}
    main = f"{LEAST}relay_recipient_maps = inline:{{anna@example.org=x}} {maps}\n"
    found = imported(main, files)
    backup = only(found)
    assert backup.recipients == ("file:recipients/example.org", "learn")
    assert 'unknown = "defer"' in {f"{entry.key} = {entry.value}" for entry in backup.more}
    assert line_of(found, "relay_recipient_maps").fate is Fate.CHANGED


@pytest.mark.parametrize(("action", "unknown"), [("permit", '"hold"'), ("defer", '"defer"'), ("", '"defer"')])
def test_recipients_that_were_verified_are_learned(action: str, unknown: str) -> None:
    main = f"{LEAST}smtpd_recipient_restrictions = reject_unverified_recipient\n"
    main += f"unverified_recipient_tempfail_action = {action}\n" if action != "" else ""
    backup = only(imported(main))
    assert backup.recipients == ("learn",)
    assert {entry.key: entry.value for entry in backup.more}["unknown"] == unknown


def test_an_access_list_in_a_database_leaves_the_answer_to_the_primary() -> None:
    main = f"{LEAST}smtpd_recipient_restrictions = check_recipient_access mysql:/etc/postfix/checked.cf\n"
    found = imported(main)
    assert only(found).recipients == ("learn",)
    assert "mysql" in line_of(found, "smtpd_recipient_restrictions").why


def test_an_allow_list_becomes_a_file() -> None:
    main = f"{LEAST}smtpd_recipient_restrictions = check_recipient_access hash:/etc/postfix/valid, reject\n"
    valid = "anna@example.org OK\nbert@example.org REJECT\nabuse@ 200\n.example.org OK\nc@x.example OK\n"
    found = imported(main, {"valid": valid})
    assert only(found).recipients == ("file:recipients/example.org",)
    assert listed(found) == ["anna@example.org", "abuse@example.org"]


def test_a_single_address_that_was_refused_is_reported_where_any_is_taken() -> None:
    main = f"{LEAST}smtpd_recipient_restrictions = check_recipient_access hash:/etc/postfix/refused\n"
    found = imported(main, {"refused": "# list\nspam@example.org REJECT\n"})
    assert only(found).recipients == ("any",)
    line = line_of(found, "spam@example.org")
    assert (line.place.path, line.place.line, line.fate) == ("/etc/postfix/refused", 2, Fate.CHANGED)


def test_an_address_that_only_an_alias_has_is_not_taken() -> None:
    main = (
        f"{LEAST}relay_recipient_maps = inline:{{anna@example.org=x}}\n"
        "virtual_alias_maps = hash:/etc/postfix/virtual\nvirtual_alias_domains =\n"
    )
    found = imported(
        main, {"virtual": "sales@example.org me@elsewhere.example\nanna@example.org anna@example.org\n"}
    )
    assert listed(found) == ["anna@example.org"]
    assert line_of(found, "sales@example.org").fate is Fate.NOT_CARRIED


def test_only_warnings_refuse_nothing() -> None:
    found = imported(f"{LEAST}smtpd_recipient_restrictions = warn_if_reject reject, permit\n")
    assert only(found).domain == "example.org"
    assert "only warned" in line_of(found, "smtpd_recipient_restrictions").why


@pytest.mark.parametrize(
    "check",
    [
        "reject_rbl_client zen.block.example",
        "check_policy_service unix:private/policyd",
        "{ check_policy_service inet:127.0.0.1:10023, timeout=10s }",
        "check_sender_access hash:/etc/postfix/senders",
        "reject_unknown_sender_domain",
        "permit_mx_backup",
    ],
)
def test_checks_that_are_not_asked_here_are_named(check: str) -> None:
    main = f"{LEAST}smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, {check}\n"
    found = imported(main, {"senders": "spammer@x.example REJECT\n"})
    assert only(found).domain == "example.org"
    line = line_of(found, "smtpd_recipient_restrictions")
    assert line.fate is Fate.CHANGED
    assert check.strip("{ ").split()[0] in line.why


@pytest.mark.parametrize(
    "insiders", ["permit_mynetworks, reject", "check_sender_access inline:{a@b.example=OK}, reject"]
)
def test_an_address_that_a_class_keeps_for_some_is_reported_where_any_is_taken(insiders: str) -> None:
    main = (
        f"{LEAST}smtpd_restriction_classes = insiders\ninsiders = {insiders}\n"
        "smtpd_recipient_restrictions = check_recipient_access hash:/etc/postfix/kept\n"
    )
    found = imported(main, {"kept": "all@example.org insiders\n"})
    assert only(found).recipients == ("any",)
    assert line_of(found, "all@example.org insiders").fate is Fate.CHANGED
