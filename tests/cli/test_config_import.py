"""secondpost config import: what it finds, asks, writes, keeps and says."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from secondpost.cli.config_import_words import report_lines
from secondpost.cli.main import secondpost
from secondpost.config.reading import read_config
from secondpost.setup.importing.carried import Fate, OldPlace, ReportLine
from secondpost.setup.importing.writing import FoundAgain

OLD = """\
# a friend's backup
table people file:/etc/mail/people
listen on eth0 hostname mx2.example.net
accept from any for domain example.net recipient <people> relay backup
accept for any relay via tls+auth://isp@smtp.isp.example auth <secrets>
accept from source 192.0.2.0/24 for any relay
""".replace("table people", "table secrets { isp = bob:horse }\ntable people")
NEW = """\
listen on eth0 hostname mx2.example.net
action a relay backup
match from any for domain example.net action a
"""
OWNER = ("--owner", "me@elsewhere.example")


@pytest.fixture(autouse=True)
def old_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the old server's /etc in `old`, and a folder without a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SECONDPOST_CONFIG", raising=False)
    mail = tmp_path / "old/etc/mail"
    mail.mkdir(parents=True)
    (mail / "smtpd.conf").write_text(OLD)
    (mail / "people").write_text("me@example.net\npostmaster\n")
    return mail


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(secondpost, ["config", "import", *words], input=typed)


def imported(*words: str) -> Result:
    return run(
        "--root", "old", "--out", "new.toml", "--store", "store", *OWNER, *words, "/etc/mail/smtpd.conf"
    )


def document(*words: str) -> dict[str, Any]:
    done = imported("--json", *words)
    assert done.exit_code == 0, done.output
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_it_writes_a_file_that_can_be_served_with_lists_and_passwords_beside_it() -> None:
    done = imported()
    assert done.exit_code == 0, done.output
    config = read_config("new.toml")
    assert [str(one.domain) for one in config.backups] == ["example.net"]
    assert [route.username for route in config.routes] == ["bob"]
    assert Path("recipients/example.net").read_text() == "me\npostmaster\n"
    password = Path("passwords/smtp.isp.example")
    assert password.read_text() == "horse\n"
    assert password.stat().st_mode & 0o777 == 0o600
    assert "horse" not in done.output
    assert "3 changed" in done.output or "carried" in done.output


def test_the_report_has_the_lines_of_both_files() -> None:
    lines = {one["line"]: one for one in document()["lines"]}
    text = Path("new.toml").read_text().split("\n")
    taken = lines[5]
    assert taken["fate"] == "carried"
    assert taken["text"] == "accept from any for domain example.net recipient <people> relay backup"
    assert {text[number - 1].partition("=")[0].strip() for number in taken["new_lines"]} == {
        "domain",
        "recipients",
    }
    assert lines[7]["fate"] == "not carried"
    assert "relays for no client" in lines[7]["why"]
    assert lines[7]["new_lines"] == []


def test_the_document_counts_what_the_report_says() -> None:
    found = document()
    fates = [one["fate"] for one in found["lines"]]
    counts = {"carried": found["carried"], "changed": found["changed"], "not carried": found["not_carried"]}
    assert {fate: fates.count(fate) for fate in counts} == counts
    assert (found["server"], found["state"], found["kept"]) == ("opensmtpd-old", "new", None)


def test_the_report_is_written_to_a_file_too() -> None:
    done = imported("--report", "report.txt")
    report = Path("report.txt").read_text()
    assert "not carried  /etc/mail/smtpd.conf:7" in report
    assert report.strip().split("\n")[-1] in done.output
    first, domain, *_ = report.split("\n")
    assert first == "1 backup domain:"
    listed = Path("recipients/example.net").absolute()
    assert domain == f"  example.net: primary from DNS (the better MX hosts); recipients file:{listed}"


def test_the_summary_names_the_primary_of_a_route(old_machine: Path) -> None:
    conf = "listen on eth0 hostname mx2.example.net\naccept from any for domain example.net relay via "
    (old_machine / "smtpd.conf").write_text(f"{conf}tls://mail.example.net\n")
    assert "example.net: primary mail.example.net:25; recipients any\n" in imported().stdout


def test_the_certificate_is_copied_before_init_which_would_take_nothing_over_without_it(
    old_machine: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here.crt", tmp_path / "here.key"
    pki = f"pki mx2.example.net cert {here}\npki mx2.example.net key {there}\n"
    conf = NEW.replace("listen on eth0", "listen on eth0 tls pki mx2.example.net")
    (old_machine / "smtpd.conf").write_text(pki + conf)
    copy = Path(f"old{here}")
    copy.parent.mkdir(parents=True)
    copy.write_text("a certificate")
    steps = imported().stdout.partition("Next, type:\n")[2].splitlines()
    assert steps[0].strip().startswith(f"install -D -m 600 {copy.absolute()} {here} ")
    assert steps[1].strip() == f"# copy {there} here from the old machine"
    assert steps[2].strip().startswith("secondpost init")
    here.write_text("a certificate")
    there.write_text("a key")
    assert "install" not in imported().stdout


def test_another_file_is_replaced_with_consent_only_and_kept() -> None:
    assert imported().exit_code == 0
    assert "nothing would change" in imported().output
    before = Path("new.toml").read_text()
    done = imported("--hostname", "mx3.example.net")
    assert done.exit_code == 1
    assert "add --yes" in done.output
    assert Path("new.toml").read_text() == before
    assert imported("--hostname", "mx3.example.net", "--yes").exit_code == 0
    (kept,) = Path().glob("new.toml.*")
    assert kept.read_text() == before


def test_a_list_that_has_changed_is_written_and_the_earlier_one_kept(old_machine: Path) -> None:
    assert imported().exit_code == 0
    (old_machine / "people").write_text("postmaster\nyou@example.net\n")
    assert imported().exit_code == 0
    assert Path("recipients/example.net").read_text() == "postmaster\nyou\n"
    (kept,) = Path("recipients").glob("example.net.*")
    assert kept.read_text() == "me\npostmaster\n"


def test_a_file_that_is_not_there_is_named_with_its_root() -> None:
    done = run("--root", "old", "--out", "new.toml", *OWNER, "/etc/mail/smtpd.cnf")
    assert done.exit_code == 1
    assert "/etc/mail/smtpd.cnf in old cannot be read" in done.output


def test_what_the_old_server_does_not_say_has_to_be_said(old_machine: Path) -> None:
    done = run("--root", "old", "--out", "new.toml", "/etc/mail/smtpd.conf")
    assert done.exit_code == 2
    assert "--owner is missing" in done.output
    (old_machine / "smtpd.conf").write_text(OLD.replace(" hostname mx2.example.net", ""))
    done = imported()
    assert done.exit_code == 2
    assert "--hostname is missing" in done.output
    assert not Path("new.toml").exists()


def test_an_owner_at_a_backup_domain_is_a_fault_of_the_new_file_and_nothing_is_written() -> None:
    done = run("--root", "old", "--out", "new.toml", "--owner", "me@example.net", "/etc/mail/smtpd.conf")
    assert done.exit_code == 1
    assert "alarms would not arrive" in done.output
    assert sorted(path.name for path in Path().iterdir()) == ["old"]


@pytest.mark.parametrize("old", ["/etc/mail/smtpd.conf", "etc/mail/smtpd.conf", "old/etc/mail", "/etc/mail"])
def test_a_path_of_the_old_machine_or_of_its_copy_is_found(old: str) -> None:
    done = run("--root", "old", "--out", "new.toml", *OWNER, "--json", old)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["lines"][0]["path"] == "/etc/mail/smtpd.conf"


def test_links_of_a_copy_lead_within_it(old_machine: Path) -> None:
    (old_machine / "people").unlink()
    (old_machine / "people").symlink_to("/etc/people")
    (old_machine.parent / "people").write_text("you@example.net\npostmaster\n")
    document()
    assert Path("recipients/example.net").read_text() == "you\npostmaster\n"
    (old_machine.parent / "people").unlink()
    (old_machine.parent / "people").symlink_to("people")
    assert "too many links" in imported("--yes").output


def test_standard_input_is_read() -> None:
    done = run("--out", "new.toml", *OWNER, "-", typed=NEW)
    assert done.exit_code == 0, done.output
    values = tomllib.loads(Path("new.toml").read_text())
    assert [one["domain"] for one in values["backup"]] == ["example.net"]
    assert values["backup"][0]["recipients"] == ["any"]


@pytest.mark.parametrize(
    ("content", "words", "text"),
    [
        (b"hello\n", (), "name the server with --from"),
        (b"\x00\x01", (), "is not a text"),
        (b"", (), "name the server with --from"),
        (b"accept from nowhere\n", (), '"any" is missing'),
        (b"match from any reject\naccept from any for any relay\n", (), "name the server with --from"),
        (NEW.encode(), ("--from", "opensmtpd-old"), "begins no statement"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(
    content: bytes, words: tuple[str, ...], text: str
) -> None:
    Path("given.conf").write_bytes(content)
    done = run("--out", "new.toml", *OWNER, "--hostname", "mx2.example.net", *words, "given.conf")
    assert done.exit_code == 1, done.output
    assert text in done.output
    assert not Path("new.toml").exists()


@pytest.mark.parametrize(
    "content",
    [
        b'a = "\xff\xfe"\naccept from any for domain example.net relay via "smtp://\xff"\n',
        b'accept from any for domain "\xff.example" relay\n',
        "accept from any for domain bücher.example relay # ☃\n".encode(),
        b'accept from any for domain example.net recipient "\xff@example.net" relay\n',
        b"\xef\xbb\xbfaccept for any relay\r\n",
    ],
)
def test_odd_encodings_end_in_no_traceback(content: bytes) -> None:
    Path("given.conf").write_bytes(content)
    given = (*OWNER, "--hostname", "mx2.example.net", "--report", "report", "given.conf")
    done = run("--out", "new.toml", *given)
    assert done.exit_code in (0, 1), done.output
    assert isinstance(done.exception, SystemExit | None)
    assert isinstance(run("--to", "smtpd.conf", *given).exception, SystemExit | None)


@pytest.mark.parametrize("old", ["nothing", "old", "/dev/null"])
def test_what_is_no_file_of_a_server_is_told(old: str) -> None:
    done = run("--out", "new.toml", *OWNER, old)
    assert done.exit_code == 1
    assert len(done.output.strip().split("\n")) == 1


# -- --to smtpd.conf


def translated(*words: str) -> Result:
    return run("--root", "old", "--to", "smtpd.conf", *words, "/etc/mail/smtpd.conf")


def test_a_smtpd_conf_of_today_goes_to_standard_output_and_the_report_beside_it() -> None:
    done = translated()
    assert done.exit_code == 0, done.output
    assert "# a friend's backup\n" in done.stdout
    assert 'match from any for domain example.net rcpt-to <people> action "backup_1"\n' in done.stdout
    assert "accept" not in done.stdout
    assert "carried" in done.stderr
    assert "horse" in done.stdout
    assert "horse" not in done.stderr


def test_it_is_written_to_a_file_that_is_not_there_yet() -> None:
    assert translated("--out", "smtpd.conf").exit_code == 0
    text = Path("smtpd.conf").read_text()
    done = translated("--out", "smtpd.conf")
    assert done.exit_code == 1
    assert "add --yes" in done.output
    assert translated("--out", "smtpd.conf", "--yes").exit_code == 0
    assert Path("smtpd.conf").read_text() == text
    found = json.loads(translated("--json").stdout)
    assert found["text"] == text
    lines = text.split("\n")
    (rule,) = [one for one in found["lines"] if one["line"] == 5]
    assert [lines[number - 1].split()[0] for number in rule["new_lines"]] == ["action", "match"]


def test_only_the_old_format_has_another_today(old_machine: Path) -> None:
    (old_machine / "smtpd.conf").write_text(NEW)
    done = translated()
    assert done.exit_code == 1
    assert "not of OpenSMTPD before 6.4" in done.output


def test_a_file_with_passwords_is_only_its_owners_and_not_in_the_document() -> None:
    found = json.loads(translated("--out", "new.conf", "--json").stdout)
    assert "horse" in Path("new.conf").read_text()
    assert Path("new.conf").stat().st_mode & 0o777 == 0o600
    assert found["text"] is None
    assert "horse" not in json.dumps(found)


def test_a_file_without_passwords_can_be_read_by_all(old_machine: Path) -> None:
    (old_machine / "smtpd.conf").write_text("accept from any for domain example.net relay\n")
    assert translated("--out", "new.conf").exit_code == 0
    assert Path("new.conf").stat().st_mode & 0o777 == 0o644


def test_the_report_replaces_neither_file() -> None:
    Path("mine.conf").write_text(NEW)
    for words in (
        ("--out", "new.toml", "--report", "new.toml"),
        ("--out", "new.toml", "--report", "mine.conf"),
    ):
        done = run(*words, *OWNER, "--from", "opensmtpd", "mine.conf")
        assert done.exit_code == 2
        assert "name another" in done.output
    assert Path("mine.conf").read_text() == NEW
    assert not Path("new.toml").exists()


def test_what_stands_as_in_the_package_is_one_entry_of_the_report() -> None:
    def line(number: int, text: str, fate: Fate, packaged_in: str) -> FoundAgain:
        place = OldPlace("/etc/exim4/exim4.conf.template", number)
        return FoundAgain(ReportLine(place, text, fate, "Why.", packaged_in=packaged_in), ())

    part = "/etc/exim4/exim4.conf.template"
    report = [
        line(1, "one = 1", Fate.CARRIED, part),
        line(2, "mine = 2", Fate.NOT_CARRIED, ""),
        line(3, "three = 3", Fate.NOT_CARRIED, part),
    ]
    assert list(report_lines(report, "new.toml")) == [
        "as packaged  /etc/exim4/exim4.conf.template",
        "             Debian's own: 1 statement carried, 0 changed, 1 not carried. Nothing of yours is in",
        "             them; `--json` lists each.",
        "not carried  /etc/exim4/exim4.conf.template:2",
        "             mine = 2",
        "             Why.",
        "",
        "1 line carried, 0 changed, 2 not carried.",
    ]
