"""`check`: what it prints, its documents and its exit codes."""

import json
from collections.abc import Iterator

import pytest

from secondpost.cli.check_words import ALL_IS_WELL, show
from secondpost.cli.main import secondpost
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from tests.cli.office import Office
from tests.cli.test_check_dns import Dns

DATABASE_HEADER_OCTETS = 100
WELL = Diagnosis(Check.CLOCK, "", Grade.WELL, "The clock is kept right.")
FULL = Diagnosis(Check.DISK_SPACE, "/a", Grade.WARNING, "3 B are free.", "free some space\nthen look again")
FULLER = Diagnosis(Check.DISK_SPACE, "/b", Grade.WARNING, "/b has 2 B.", "")
OLD = Diagnosis(Check.KNOWN_BUGS, "SQLite", Grade.WARNING, "SQLite 3.1 is old.", "upgrade it")


@pytest.fixture(autouse=True)
def names(office: Office) -> Iterator[None]:
    """A name server on loopback that knows no name, used by the office's commands."""
    with Dns().running() as port, office.config.open("a") as config:
        config.write(f'[dns]\nservers = ["127.0.0.1:{port}"]\n')
        config.flush()
        yield


def shown(capsys: pytest.CaptureFixture[str], *found: Diagnosis, verbose: bool = False) -> str:
    with secondpost.make_context("secondpost", ["status"]):
        show("/etc/secondpost.toml", found, as_json=False, verbose=verbose)
    return capsys.readouterr().out


def test_all_is_well_is_said_warmly(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, WELL) == f"{ALL_IS_WELL}\n/etc/secondpost.toml: no faults; 1 check is well.\n"


def test_why_is_said_once_for_each_check_and_the_subject_unless_the_sentence_has_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shown(capsys, WELL, FULL, FULLER) == (
        "warning: /a: 3 B are free. (disk-space)\n"
        f"  why: {Check.DISK_SPACE.why}\n"
        "  do:  free some space\n"
        "       then look again\n"
        "warning: /b has 2 B. (disk-space)\n"
        "/etc/secondpost.toml: no faults, 2 warnings; 1 check is well.\n"
    )


def test_what_is_well_is_a_line_each_if_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert "well: The clock is kept right. (clock)\n" in shown(capsys, WELL, OLD, verbose=True)
    assert "clock" not in shown(capsys, WELL, OLD)


def test_the_worst_comes_first_with_its_reason_and_its_remedy(office: Office) -> None:
    result = office.run("check", "all", "--verbose", code=1)
    grades = [
        line.partition(":")[0] for line in result.stdout.splitlines()[:-1] if not line.startswith(("  ", "/"))
    ]
    assert grades == sorted(grades, key=["fault", "warning", "note", "well"].index)
    document = json.loads(office.run("check", "all", "--json", code=1).stdout)
    assert not document["right"]
    assert len(document["diagnoses"]) == len(grades)


def test_a_fault_is_exit_code_1(office: Office) -> None:
    (office.folder / "store").chmod(0o755)
    result = office.run("check", "security", code=1)
    assert f"  do:  chmod go= {office.folder}/store" in result.stdout
    assert f"  why: {Check.STORE_FILES.why}" in result.stdout
    assert ALL_IS_WELL not in result.stdout
    assert not json.loads(office.run("check", "security", "--json", code=1).stdout)["right"]


def test_a_broken_configuration_is_exit_code_3(office: Office) -> None:
    office.config.write_text("version = 3\n")
    for words in ("security", "delivery", "all"):
        assert "hostname" in office.run("check", words, code=3).stderr


def test_nothing_is_written(office: Office) -> None:
    office.run("status")  # the first command after a service also moves its log into the database

    def contents() -> dict[str, bytes]:
        """Every file, without SQLite's header: opening a database counts there."""
        paths = [path for path in office.folder.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes()[DATABASE_HEADER_OCTETS:] for path in paths}

    before = contents()
    office.run("check", "all", code=1)
    assert contents() == before
