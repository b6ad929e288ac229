"""secondpost init without a terminal: answers from options, the file, the keys, and a second run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import dns.message
import pytest

from secondpost.config.changes import changes
from secondpost.mail.address import Domain, Endpoint
from secondpost.setup.records import SNIPPET_BEGINS
from tests.cli.newcomer import ANSWERS, LINES, Newcomer
from tests.cli.test_check_dns import Dns

FEED = "https://www.example.net/feed.xml"


class LateDns(Dns):
    """A name server whose records change after some questions."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 0
        self._later: Sequence[str] = ()

    def after(self, questions: int, lines: Sequence[str]) -> None:
        self._left, self._later = questions, lines

    def respond(self, query: dns.message.Message, is_tcp: bool) -> list[bytes]:
        if self._left > 0:
            self._left -= 1
            if self._left == 0:
                self.lines = self._later
        return super().respond(query, is_tcp)


@pytest.fixture
def names() -> LateDns:
    names = LateDns()
    names.lines = LINES
    return names


@pytest.fixture
def newcomer(tmp_path: Path, names: LateDns) -> Iterator[Newcomer]:
    with names.running() as port:
        yield Newcomer(tmp_path, port)


def test_with_all_answers_there_are_a_file_and_keys(newcomer: Newcomer) -> None:
    shown = newcomer.run(*ANSWERS).stdout
    config = newcomer.config
    assert config.hostname == Domain("mx2.example.net")
    assert [one.domain for one in config.backups] == [Domain("example.net")]
    assert config.receive.listen == (Endpoint("127.0.0.1", 2525),)
    keys = newcomer.folder / "store" / "keys"
    files = sorted(path for path in keys.rglob("*") if path.is_file())
    assert [path.name for path in files] == ["addresses.keys", "links.keys", "sp-ed.pem", "sp-rsa.pem"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert newcomer.path.stat().st_mode & 0o777 == 0o644
    assert f"Wrote {newcomer.path}.\nMade 4 keys in {newcomer.folder}/store/keys." in shown
    assert "example.net: mail goes to mx1.provider.example (10)." in shown
    assert "warning: Until port 25 is open outward" in shown


def test_every_missing_option_is_named_at_once(newcomer: Newcomer) -> None:
    result = newcomer.run("--hostname", "mx2.example.net", code=2)
    error = result.stderr
    assert result.stdout == ""
    assert "--feed is missing: without a feed, and without --backup, there is nothing to do here" in error
    assert "--owner is missing" in error
    assert "--hostname" not in error
    assert os.listdir(newcomer.folder) == []


def test_every_wrong_option_is_named_at_once(newcomer: Newcomer) -> None:
    wrong = ("--hostname", "mx2", "--recipients", "all", "--timezone", "Europe/Oslo")
    error = newcomer.run(*ANSWERS[2:], *wrong, code=2).stderr
    assert '--hostname: "mx2" is not a full domain; write one such as "mx2.example.net"' in error
    assert '--recipients: "all" is not one of the forms of recipients' in error
    assert "--timezone says nothing without --feed" in error
    assert os.listdir(newcomer.folder) == []


def test_an_option_that_answers_nothing_is_refused(newcomer: Newcomer) -> None:
    error = newcomer.run(*ANSWERS, "--every", "daily", "--key", "key.pem", code=2).stderr
    assert "--every says nothing without --feed" in error
    assert "--key says nothing without --certificate" in error
    assert "--wait-for says nothing without --wait" in newcomer.run("--wait-for", "1 hour", code=2).stderr


def test_a_zone_file_that_cannot_be_written_ends_in_one_sentence(newcomer: Newcomer) -> None:
    error = newcomer.run(*ANSWERS, "--zone", "/nowhere/zone", code=1).stderr
    assert error == "secondpost: /nowhere/zone cannot be written: No such file or directory\n"


def test_the_owners_own_zone_file_is_not_replaced(newcomer: Newcomer) -> None:
    zone = newcomer.folder / "example.net.zone"
    zone.write_text("; the zone of example.net\n$TTL 3600\n")
    error = newcomer.run(*ANSWERS, "--zone", str(zone), code=1).stderr
    assert error.endswith(
        f"{zone} is there already, and holds something else; name another file with --zone\n"
    )
    assert zone.read_text() == "; the zone of example.net\n$TTL 3600\n"
    zone.write_text("")
    newcomer.run("--zone", str(zone))
    written = zone.read_text()
    assert written.startswith(SNIPPET_BEGINS)
    newcomer.run("--zone", str(zone))
    assert zone.read_text() == written


def test_a_second_run_changes_nothing_and_says_so(newcomer: Newcomer) -> None:
    newcomer.run(*ANSWERS)
    before = newcomer.path.read_bytes()
    shown = newcomer.run().stdout
    assert f"{newcomer.path} stays as it is: nothing would change." in shown
    assert "Made" not in shown
    assert newcomer.path.read_bytes() == before
    assert sorted(os.listdir(newcomer.folder)) == ["secondpost.toml", "store"]


def test_nothing_is_overwritten_without_yes(newcomer: Newcomer) -> None:
    newcomer.run(*ANSWERS)
    before = newcomer.path.read_bytes()
    result = newcomer.run("--owner", "you@elsewhere.example", code=1)
    lines = result.stdout.splitlines()
    assert [line.partition("  #")[0] for line in lines if line[:1] in ("+", "-") and line[1] not in "+-"] == [
        '-owner     = ["me@elsewhere.example"]',
        '+owner     = ["you@elsewhere.example"]',
    ]
    assert result.stderr == "secondpost: nothing was written: add --yes to make these changes\n"
    assert newcomer.path.read_bytes() == before


def test_with_yes_the_earlier_file_stays_beside_the_new_one(newcomer: Newcomer) -> None:
    newcomer.run(*ANSWERS)
    edited = newcomer.path.read_text() + '# my own comment\nkeep = "90 days"\n'
    newcomer.path.write_text(edited)
    document = json.loads(newcomer.run("--owner", "you@elsewhere.example", "--yes", "--json").stdout)
    assert document["state"] == "changed"
    assert Path(document["kept"]).read_text() == edited
    assert Path(document["kept"]).parent == newcomer.folder
    assert str(newcomer.config.owner[0]) == "you@elsewhere.example"
    assert newcomer.config.backups[0].keep_ms == 90 * 86_400_000
    again = json.loads(newcomer.run("--owner", "her@elsewhere.example", "--yes", "--json").stdout)
    assert again["kept"] != document["kept"]
    assert Path(document["kept"]).read_text() == edited


def test_a_file_with_faults_is_kept_and_nothing_taken_over(newcomer: Newcomer) -> None:
    newcomer.path.write_text("hostname = 5\n")
    result = newcomer.run(*ANSWERS, code=1)
    assert "has faults, so nothing of it is taken over" in result.stdout
    document = json.loads(newcomer.run(*ANSWERS, "--yes", "--json").stdout)
    assert Path(document["kept"]).read_text() == "hostname = 5\n"
    assert newcomer.config.hostname == Domain("mx2.example.net")


def test_the_document(newcomer: Newcomer) -> None:
    document = json.loads(newcomer.run(*ANSWERS, "--feed", FEED, "--proxy", "nginx", "--json").stdout)
    assert document["config"] == str(newcomer.path)
    assert (document["state"], document["kept"]) == ("new", None)
    assert len(document["keys"]) == 4
    assert any(text.startswith("Until port 25") for text in document["warnings"])
    assert "proxy_pass http://127.0.0.1:" in document["proxy"]
    assert f"secondpost check all --config {newcomer.path}" in document["next"]


def test_a_folder_that_is_missing_is_made(newcomer: Newcomer) -> None:
    deep = Newcomer(newcomer.folder / "etc" / "mail", newcomer.dns_port)
    deep.run(*ANSWERS)
    assert deep.config.hostname == Domain("mx2.example.net")


def test_a_place_that_cannot_be_written_ends_in_one_sentence(newcomer: Newcomer) -> None:
    (newcomer.folder / "file").write_text("")
    blocked = Newcomer(newcomer.folder / "file", newcomer.dns_port)
    error = blocked.run(*ANSWERS, code=1).stderr
    assert error.startswith(f"secondpost: {blocked.path} cannot be ")
    assert error.count("\n") == 1


def test_a_folder_in_place_of_the_file_is_refused(newcomer: Newcomer) -> None:
    newcomer.path.mkdir()
    assert "cannot be read: Is a directory; nothing was written" in newcomer.run(*ANSWERS, code=1).stderr


def test_without_a_resolver_it_goes_on_with_what_was_answered(newcomer: Newcomer) -> None:
    deaf = Newcomer(newcomer.folder, 9)  # nothing listens there
    shown = deaf.run(*ANSWERS).stdout
    assert shown.count("No DNS server answers") == 1
    assert deaf.config.hostname == Domain("mx2.example.net")


def test_relative_paths_begin_where_the_command_is_typed(
    newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(newcomer.folder)
    (newcomer.folder / "people").write_text("me@example.net\n")
    elsewhere = Newcomer(newcomer.folder / "etc", newcomer.dns_port)
    elsewhere.run(*ANSWERS, "--recipients", "learn", "--recipients", "file:people", "--store", "mail")
    assert f'"file:{newcomer.folder}/people"' in elsewhere.path.read_text()
    assert elsewhere.config.store == str(newcomer.folder / "mail")


def test_what_was_written_has_no_fault(newcomer: Newcomer) -> None:
    newcomer.run(*ANSWERS, "--feed", FEED, "--from", 'The "Blog" <b@example.net>', "--every", "first monday")
    assert newcomer.config.newsletters[0].sender == 'The "Blog" <b@example.net>'


def test_its_last_words_are_about_what_issues_wait_for(newcomer: Newcomer) -> None:
    assert "No issue goes out" not in newcomer.run(*ANSWERS).stdout
    shown = newcomer.run(*ANSWERS, "--feed", FEED, "--yes").stdout
    last = " ".join(shown.partition("Next, type:")[2].split())
    assert "before these records are visible, and readers can unsubscribe at https://mx2.example.net." in last
    assert last.endswith(
        "What Google, Yahoo and Microsoft ask of newsletters, and how you stand: secondpost check dns"
    )


# -- a second run


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: f"# mine\n\n{text}# the end\n",
        lambda text: text.replace('owner     = ["me', 'owner = [\n  "me'),
        lambda text: text + 'quota = "5 GB"\n[send]\nonly_to = ["*@example.net"]\n',
        lambda text: text.replace('["learn"]', '["learn", "file:people"]'),
        lambda text: text.replace("[tls]", '[tls]\ncertificate = "cert.pem"\nkey = "key.pem"'),
        lambda text: text + f'[[newsletter]]\nname = "a"\nfrom = "a@example.net"\nfeeds = ["{FEED}"]\n',
        lambda text: text.replace("[tls]", '[web]\nurl = "https://mx2.example.net"\n[tls]'),
    ],
)
def test_what_the_owner_wrote_stays_as_it_was_written(newcomer: Newcomer, edit: Callable[[str], str]) -> None:
    newcomer.run(*ANSWERS)
    (newcomer.folder / "people").write_text("me@example.net\n")
    (newcomer.folder / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
    (newcomer.folder / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")
    edited = edit(newcomer.path.read_text())
    newcomer.path.write_text(edited)
    assert "stays as it is" in newcomer.run().stdout
    assert newcomer.path.read_text() == edited


def test_a_file_of_an_earlier_version_is_read_and_a_change_writes_one_of_today(newcomer: Newcomer) -> None:
    newcomer.run(*ANSWERS)
    text = newcomer.path.read_text().replace("= 3", "= 1")
    text += 'unknown = "refuse"\n[watch]\nspeed = 2\nreach = ["RU"]\nreach_control = "NO"\n'
    newcomer.path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    before = newcomer.config
    assert "stays as it is" in newcomer.run().stdout
    newcomer.run("--owner", "you@elsewhere.example", "--yes")
    assert '[reach]\ncountries = ["RU"]\ncontrol   = "NO"\n' in newcomer.path.read_text()
    assert changes(before, newcomer.config) == ("owner",)


# -- the records


def published(document: Mapping[str, list[dict[str, str]]]) -> list[str]:
    """The records of a document as lines of a name server; those of the web stand in none."""
    return [record["zone_line"] for record in document["records"] if record["by"] != "web"]


def test_every_record_is_shown_in_order_and_as_a_zone_file(newcomer: Newcomer) -> None:
    zone = newcomer.folder / "zone"
    words = ("--feed", FEED, "--zone", str(zone))
    shown = newcomer.run(*ANSWERS, *words).stdout
    document = json.loads(newcomer.run(*words[:2], "--json").stdout)
    places = [shown.index(f"\n{line}\n") for line in published(document) if ".arpa" not in line]
    assert places == sorted(places)
    assert "; where the machine is rented: 7.8.9.5.in-addr.arpa. 3600 IN PTR mx2.example.net." in shown
    assert zone.read_text() in shown
    assert "does not lead back to it (set it where the machine is rented)" in shown
    assert "example.net. 3600 IN MX 20 mx2.example.net." in zone.read_text()
    kinds = {(record["name"], record["type"]) for record in document["records"]}
    assert kinds >= {
        ("mx2.example.net", "A"),
        ("mx2.example.net", "TXT"),
        ("example.net", "MX"),
        ("sp-rsa._domainkey.example.net", "TXT"),
        ("sp-ed._domainkey.example.net", "TXT"),
        ("_dmarc.example.net", "TXT"),
    }
    assert document["missing"] is None


def test_waiting_ends_when_all_records_are_visible(newcomer: Newcomer, names: LateDns) -> None:
    document = json.loads(newcomer.run(*ANSWERS, "--json").stdout)
    names.lines = [*LINES, *published(document)]
    shown = newcomer.run("--wait").stdout
    assert "visible: sp-rsa._domainkey.mx2.example.net TXT" in shown
    assert "All records are visible that the service needs before mail comes.\n" in shown
    assert json.loads(newcomer.run("--wait", "--json").stdout)["missing"] == []


def test_waiting_ends_with_the_records_that_are_missing(newcomer: Newcomer, names: LateDns) -> None:
    document = json.loads(newcomer.run(*ANSWERS, "--json").stdout)
    names.lines = [*LINES, *(line for line in published(document) if "sp-ed" not in line)]
    result = newcomer.run("--wait", "--wait-for", "1 second", code=1)
    assert "missing: sp-ed._domainkey.mx2.example.net TXT\n" in result.stdout
    assert "visible: sp-rsa._domainkey.mx2.example.net TXT" in result.stdout
    assert result.stderr.startswith("secondpost: 1 record is still missing; publish what is missing")
    again = newcomer.run("--wait", "--wait-for", "1 second", "--json", code=1)
    assert [one["name"] for one in json.loads(again.stdout)["missing"]] == [
        "sp-ed._domainkey.mx2.example.net"
    ]


def test_waiting_sees_a_record_that_comes_later(newcomer: Newcomer, names: LateDns) -> None:
    document = json.loads(newcomer.run(*ANSWERS, "--json").stdout)
    late = published(document)
    names.after(8, [*LINES, *late])
    assert (
        "All records are visible that the service needs before mail comes." in newcomer.run("--wait").stdout
    )


def test_records_are_shown_without_a_resolver_too(newcomer: Newcomer) -> None:
    deaf = Newcomer(newcomer.folder, 9)
    shown = deaf.run(*ANSWERS).stdout
    assert "mx2.example.net. 3600 IN A 5.9.8.7\n" in shown
    assert "example.net. 3600 IN MX" in shown


# -- users


NOBODY = 65534


def test_the_keys_belong_to_the_user_of_the_service() -> None:
    """As root, with a user who exists; as another user, all is one's own."""
    with TemporaryDirectory() as name:  # not below tmp_path, which another user cannot read
        folder = Path(name)
        folder.chmod(0o711)
        newcomer = Newcomer(folder, 9)
        lines = [
            "version = 3",
            'hostname = "mx2.example.net"',
            f'store = "{folder}/store"',
            'user = "nobody"',
        ]
        lines += ['owner = ["me@elsewhere.example"]', "[[backup]]", 'domain = "example.net"']
        newcomer.path.write_text("\n".join(lines))
        program = [
            sys.executable,
            "-m",
            "secondpost",
            *newcomer.words("--yes", "--zone", str(folder / "zone")),
        ]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        owner = NOBODY if os.geteuid() == 0 else os.geteuid()
        assert {path.stat().st_uid for path in (folder / "store").rglob("*")} == {owner}
        assert len([path for path in (folder / "store" / "keys").rglob("*") if path.is_file()]) == 4
        assert "IN MX 20 mx2.example.net." in (folder / "zone").read_text()
        assert {path.stat().st_uid for path in (folder / "zone", newcomer.path)} == {os.geteuid()}
