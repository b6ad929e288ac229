"""Advisories for the owner: from files, from a service on loopback, and as they were last answered."""

import asyncio
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from secondpost.cli.check_advisories import AdvisoryWish, look_at_advisories, runs_here
from secondpost.cli.command import Ending
from secondpost.cli.main import secondpost
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.mail.duration import DAY_MS
from secondpost.protocols.osv.circumstances import Circumstance
from secondpost.protocols.osv.judging import PYPI, Installed
from secondpost.protocols.service_questions import ServiceAnswer, ServiceRequest, ServiceResult
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.store.sqlite import SqliteStore
from secondpost.watch.advisories import AdvisoryRounds, WhatRuns
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.advisories import RECORDS
from tests.alarms import logged_alarms
from tests.cli.office import Office
from tests.clock import SetClock
from tests.watch.osv import Misbehaviour, Osv, answering, instead
from tests.watch.osv_server import TORN, osv_served

POSTFIX = Installed("Postfix", "Debian:12", "postfix", "3.7.9-0+deb12u1")
EXIM = Installed("Exim", "Debian:12", "exim4", "4.96-15+deb12u2")
IDNA = Installed("idna", PYPI, "idna", "3.6")
STARLETTE = Installed("starlette", PYPI, "starlette", "0.24.0")
CERTIFI = Installed("certifi", PYPI, "certifi", "2026.10.19")
ANYIO = Installed("anyio", PYPI, "anyio", "4.16.0")
RUNS = WhatRuns(
    (POSTFIX, EXIM, IDNA, STARLETTE, CERTIFI, ANYIO),
    {Circumstance.POSTFIX_BARE_NEWLINES: True, Circumstance.PAGES: False},
)


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs on this machine is another matter."""
    monkeypatch.setattr("secondpost.roles.advisories.what_runs", lambda *_, **__: RUNS)


@pytest.fixture
def osv(office: Office) -> Iterator[Osv]:
    osv = Osv()
    with osv_served(osv) as address, office.config.open("a") as config:
        config.write(
            f'[watch]\nadvisories = true\nadvisories_url = "{address}"\n[fetch]\nallow_private = true\n'
        )
        config.flush()
        yield osv


def config_of(office: Office) -> Config:
    return read_config(str(office.config))


def looked(office: Office, wish: AdvisoryWish) -> list[Diagnosis]:
    config = config_of(office)
    return look_at_advisories(config, runs_here(config, wish))


def graded(found: list[Diagnosis]) -> list[tuple[Grade, str]]:
    return [(one.grade, one.subject) for one in found]


def test_nothing_is_asked_unless_it_is_wanted(office: Office) -> None:
    [note] = looked(office, AdvisoryWish())
    assert (note.check, note.grade) == (Check.ADVISORIES, Grade.NOTE)
    assert "[watch]" in note.remedy


def test_advisories_of_a_folder(office: Office) -> None:
    found = looked(office, AdvisoryWish(files=str(RECORDS)))
    texts = {(one.subject, one.grade): one for one in found}
    postfix = texts["Postfix", Grade.FAULT]
    assert postfix.text.startswith(
        "Postfix 3.7.9-0+deb12u1 has CVE-2023-51764, medium: Postfix through 3.8.5"
    )
    assert (
        "mended in 3.7.9-0+deb12u1, once it is switched on. It applies here, because `smtpd_forbid_bare"
        in (postfix.text)
    )
    assert postfix.remedy == "postconf -e smtpd_forbid_bare_newline=normalize && postfix reload"
    exim = [one for one in found if one.subject == "Exim"]
    assert [one.text.split()[3].rstrip(",:") for one in exim if one.grade is Grade.FAULT] == [
        "CVE-2023-51766",
        "CVE-2024-39929",
        "CVE-2025-30232",
        "CVE-2026-40685",
    ]
    assert {one.text.split()[3].rstrip(",:") for one in exim if one.grade is Grade.WARNING} == {
        "CVE-2023-42117",  # not known whether it applies
        "CVE-2023-42119",  # low
        "CVE-2026-40687",
    }
    assert {one.remedy for one in exim} == {"apt-get update && apt-get upgrade"}
    idna = texts["idna", Grade.FAULT]
    assert idna.text.endswith(
        "It applies here, because it is in use, and no setting is known that would prevent it."
    )
    assert idna.remedy == "install a Secondpost that brings idna 3.7 or newer"
    starlette = [one for one in found if one.subject == "starlette"]
    assert [(one.grade, one.text.rpartition("because ")[2]) for one in starlette] == [
        (Grade.NOTE, "the pages read url-encoded forms alone, and no multipart ones."),
        (Grade.NOTE, "the pages serve no file by StaticFiles or FileResponse."),
    ]
    assert texts["certifi", Grade.WELL].text == "certifi 2026.10.19: CVE-2023-37920 is not in this version."
    assert texts["", Grade.WELL].text == "Nothing is known against 1 of 6 things that run here."


def test_an_archive_of_osv_is_read_as_its_files_are(office: Office, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(RECORDS.iterdir()):
            archive.write(path, path.name)
    (tmp_path / "query.json").write_bytes(
        b'{"vulns": [' + b",".join(path.read_bytes() for path in sorted(RECORDS.iterdir())) + b"]}"
    )
    whole = graded(looked(office, AdvisoryWish(files=str(RECORDS))))
    for name in ("all.zip", "query.json", ""):
        assert graded(looked(office, AdvisoryWish(files=str(tmp_path / name)))) == whole


def test_a_file_that_cannot_be_read_hides_no_other(office: Office, tmp_path: Path) -> None:
    (tmp_path / "idna.json").write_bytes((RECORDS / "GHSA-jjg7-2v4v-x38h.json").read_bytes())
    (tmp_path / "torn.json").write_text('{"id": "CVE-2026')
    with zipfile.ZipFile(tmp_path / "torn.zip", "w") as archive:
        archive.writestr("a.json", "x" * 1_000)
    (tmp_path / "torn.zip").write_bytes((tmp_path / "torn.zip").read_bytes()[:-200] + b"\0" * 200)
    first, *rest = looked(office, AdvisoryWish(files=str(tmp_path)))
    assert first.grade is Grade.WARNING
    assert first.text.startswith(
        f"{tmp_path}: 2 of its files cannot be read: {tmp_path}/torn.json: it is not in"
    )
    assert (Grade.FAULT, "idna") in graded(rest)


def test_of_files_alone_no_earlier_answer_is_spoken_of(office: Office, tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text('{"id": "CVE')
    [warning] = looked(office, AdvisoryWish(files=str(tmp_path)))
    assert warning.text.endswith("Input data was truncated. Nothing else was read.")
    assert warning.remedy == "get what cannot be read anew, or leave it out"


def test_files_and_a_service_are_two_ways(office: Office) -> None:
    done = office.run("check", "security", "--advisories", str(RECORDS), "--ask", code=2)
    assert "--ask asks a service, and --advisories reads files instead: choose one" in done.output


def test_files_that_cannot_know_of_something_say_so(office: Office, tmp_path: Path) -> None:
    (tmp_path / "idna.json").write_bytes((RECORDS / "GHSA-jjg7-2v4v-x38h.json").read_bytes())
    found = looked(office, AdvisoryWish(files=str(tmp_path)))
    assert found[0].text == (
        f"{tmp_path} has no advisories that say anything of Postfix (Debian:12), Exim (Debian:12)."
    )
    assert found[-1].text == "Nothing is known against 3 of 6 things that run here."


def test_a_folder_without_advisories_ends_the_command(office: Office, tmp_path: Path) -> None:
    with pytest.raises(Ending, match="has no advisory"):
        looked(office, AdvisoryWish(files=str(tmp_path)))


def test_a_mail_server_that_is_not_installed_is_said_so(office: Office) -> None:
    first, *_ = looked(office, AdvisoryWish(also=("opensmtpd",), files=str(RECORDS)))
    assert first.text == "opensmtpd is no package of this machine: it was not looked at."


def test_the_command_reads_files_and_ends_with_1(office: Office) -> None:
    words = ("check", "security", "--also", "postfix,exim", "--advisories", str(RECORDS), "--json")
    document = json.loads(office.run(*words, code=1).stdout)
    found = [one for one in document["diagnoses"] if one["check"] == "advisories"]
    assert {one["subject"] for one in found if one["grade"] == "fault"} == {"Postfix", "Exim", "idna"}
    assert (
        "none of postfix, opensmtpd, exim"
        in office.run("check", "security", "--also", "qmail", code=2).output
    )


def test_other_mail_servers_are_looked_at_where_nothing_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SECONDPOST_CONFIG", raising=False)

    def run(*words: str) -> Result:
        return CliRunner().invoke(secondpost, [*words])

    words = ("check", "security", "--also", "postfix,exim", "--advisories", str(RECORDS))
    done = run(*words, "--json")
    assert done.exit_code == 1, done.output
    document = json.loads(done.stdout)
    assert document["config"] == "no configuration"
    found = {one["subject"] for one in document["diagnoses"] if one["grade"] == "fault"}
    assert {"Postfix", "Exim"} <= found
    assert "no configuration: " in run(*words).stdout
    assert run(*words[:-2]).exit_code == 3, "a service is named by the configuration"
    assert run("check", "security", *words[-2:]).exit_code == 3
    named = run("--config", "nowhere.toml", *words)
    assert (named.exit_code, "there is no such file" in named.output) == (3, True)


def test_a_service_says_the_same_as_its_files(office: Office, osv: Osv) -> None:
    asked = looked(office, AdvisoryWish())
    told = [one for one in looked(office, AdvisoryWish(files=str(RECORDS))) if one.grade is not Grade.WELL]
    assert sorted(
        one.text for one in asked if one.grade is not Grade.WELL and "CVE-2023-51764" not in one.text
    ) == (sorted(one.text for one in told if "CVE-2023-51764" not in one.text))
    assert osv.paths()[0] == "/v1/querybatch"


def torn(request: ServiceRequest, answer: ServiceResult) -> ServiceResult:
    assert isinstance(answer, ServiceAnswer)
    return replace(answer, status=TORN)


def silent(request: ServiceRequest, answer: ServiceResult) -> None:
    return None


NO_ANSWERS: list[tuple[Misbehaviour, str]] = [
    (torn, "127.0.0.1: http://127.0.0.1:"),
    (answering(429), "127.0.0.1: it answers 429"),
    (answering(500), "127.0.0.1: it answers 500"),
    (answering(302, location="/elsewhere"), "127.0.0.1: it answers 302"),
    (instead(b'{"message": "moved"}'), "127.0.0.1: the answer is not in the form of OSV"),
]


@pytest.mark.parametrize(("misbehaves", "text"), NO_ANSWERS)
def test_without_an_answer_and_without_an_earlier_one_that_is_all(
    office: Office, osv: Osv, misbehaves: Misbehaviour, text: str
) -> None:
    osv.misbehaves = misbehaves
    [warning] = looked(office, AdvisoryWish())
    assert warning.grade is Grade.WARNING
    assert warning.text.startswith(text)
    assert warning.text.endswith("No earlier answer is kept.")


async def kept(office: Office, osv: Osv, age_ms: int) -> None:
    """A service asked so long ago."""
    work, clock = RealWork(1), SetClock(RealClock().now_ms() - age_ms)
    store = SqliteStore.open(
        RealDisk(str(office.folder / "store")), work, clock, role="deliver", failed=lambda error: None
    )
    alarms = logged_alarms([])
    await AdvisoryRounds(store, clock, alarms, osv.ask, RUNS, "127.0.0.1").look()
    store.close()
    work.close()


def test_without_an_answer_the_last_good_one_counts_with_its_age(office: Office, osv: Osv) -> None:
    asyncio.run(kept(office, osv, 2 * DAY_MS))
    whole = graded(looked(office, AdvisoryWish()))
    osv.misbehaves = answering(503)
    first, *rest = looked(office, AdvisoryWish())
    assert first.text.startswith("127.0.0.1: it answers 503. What follows is its last good answer, 2 d ")
    assert graded(rest) == whole


def test_no_way_out_is_said_in_a_sentence(office: Office) -> None:
    with office.config.open("a") as config:
        config.write('[watch]\nadvisories_url = "http://127.0.0.1:9"\n[fetch]\nallow_private = true\n')
    [warning] = looked(office, AdvisoryWish(asks=True))
    assert warning.text.startswith("127.0.0.1: cannot connect to 127.0.0.1 port 9")


# -- watch advisories
def test_what_stands_is_listed_from_the_last_good_answer(office: Office, osv: Osv) -> None:
    asyncio.run(kept(office, osv, 3 * DAY_MS))
    osv.misbehaves = answering(403)
    asyncio.run(kept(office, osv, DAY_MS))
    lines = office.run("watch", "advisories").stdout.splitlines()
    assert lines[0].startswith("127.0.0.1 last gave a good answer 3 d ")
    assert lines[1].startswith("It has failed for 1 d")
    assert lines[1].endswith(": it answers 403. What it said before stands.")
    assert lines[2].startswith("OPEN for 3 d")
    assert ": Postfix 3.7.9-0+deb12u1 has CVE-2023-51764, medium" in lines[2]
    assert lines[3] == "  do: postconf -e smtpd_forbid_bare_newline=normalize && postfix reload"
    assert lines[-1] == "Of 6 things that run here, 7 known holes are open."
    document = json.loads(office.run("watch", "advisories", "--json").stdout)
    assert (document["asked"], document["service"], document["why"]) == (True, "127.0.0.1", "it answers 403")
    assert [one["hole"] for one in document["holes"] if one["open"]][-1] == "CVE-2024-3651"
    assert {one["bearing"] for one in document["holes"]} == {"applies", "does-not-apply", "not-known"}


def test_when_nothing_was_ever_asked_that_is_said(office: Office) -> None:
    assert office.run("watch", "advisories").stdout == (
        "They are not asked for: advisories = true in [watch] has it done daily.\n"
    )
