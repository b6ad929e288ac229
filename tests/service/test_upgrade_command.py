"""`secondpost upgrade --from`: real wheels, a real service, and what it says at the end."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.postoffice import RECIPIENT, PostOffice
from tests.service.conftest import Call
from tests.service.primary import Primary
from tests.service.programs import install_wheel, make_wheel
from tests.service.test_hard_times import message, until
from tests.service.test_upgrade import DIES, LATER, program_of

UPGRADE_SECONDS_MAX = 240.0
FIRST, NEXT, DEFECTIVE, LATEST = "0.1.0", "0.2.0", "0.2.1", "0.3.0"
# It starts, and finds a fault that is none.
FINDS_A_FAULT = (
    "setup/machine.py",
    (
        "def examine_machine(",
        "def _defect(found: object) -> object:\n"
        "    yield Diagnosis(Check.CLOCK, 'a defect', Grade.FAULT, 'A defect was planted.', 'take it out')\n"
        "    yield from found\n\n\n"
        "def examine_machine(*given: object, **named: object) -> object:\n"
        "    return _defect(_examine_machine(*given, **named))\n\n\n"
        "def _examine_machine(",
    ),
)


class Installed(PostOffice):
    """An office whose program was installed from a wheel, with its commands."""

    def __init__(self, folder: Path, primary_port: int, command: Path) -> None:
        super().__init__(folder, primary_port)
        self.program = command
        text = self.config.read_text().replace("\n[web]", '\n[dns]\nservers = ["127.0.0.1:53"]\n\n[web]')
        self.config.write_text(text)

    def begin(self) -> None:
        self.log.touch()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self.program, "--config", self.config, "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_for_roles()

    def upgrade(self, *words: str | Path, code: int = 0) -> dict[str, object]:
        done = subprocess.run(
            [self.program, "--config", self.config, "upgrade", *words, "--json"],
            capture_output=True,
            text=True,
            timeout=UPGRADE_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == code, (done.stdout, done.stderr, self.log.read_text()[-5000:])
        document = json.loads(done.stdout) if done.stdout.startswith("{") else {"said": done.stderr}
        assert isinstance(document, dict)
        return document

    def version(self) -> str:
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True)
        return said.stdout.split()[1]

    def running_version(self) -> str:
        """The name of the folder of the version that serves."""
        return Path(program_of(self.supervisor)).parent.parent.name


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for version, changes in (
        (FIRST, {}),
        (NEXT, {}),
        (DEFECTIVE, dict([FINDS_A_FAULT])),
        (LATEST, dict([LATER])),
        ("0.3.1", dict([DIES])),
    ):
        make_wheel(folder, version, changes)
    return folder


def wheel(wheels: Path, version: str) -> Path:
    return wheels / f"secondpost-{version}-py3-none-any.whl"


@pytest.fixture
def office(tmp_path: Path, primary: Primary, wheels: Path) -> Iterator[Installed]:
    primary.open()
    it = Installed(tmp_path, primary.port, install_wheel(tmp_path / "place", wheel(wheels, FIRST)))
    yield it
    it.end()


def test_the_life_of_an_installation(
    office: Installed, wheels: Path, call: Call, primary: Primary, tmp_path: Path
) -> None:
    """Upgraded, not upgraded to what is defective, upgraded over a new schema; all while it serves."""
    office.begin()
    staying = call(office)
    number = office.supervisor

    would = office.upgrade("--from", wheel(wheels, NEXT), "--dry-run")
    assert (would["outcome"], office.version()) == ("would", FIRST)

    done = office.upgrade("--from", wheel(wheels, NEXT))
    assert (done["outcome"], done["running"], done["reasons"]) == ("upgraded", True, [])
    assert (office.version(), office.running_version(), office.supervisor) == (NEXT, NEXT, number)
    assert staying.send(message(1), RECIPIENT).startswith("250 ")

    back = office.upgrade("--from", wheel(wheels, DEFECTIVE), code=1)
    assert (back["outcome"], back["missing"]) == ("back", [])
    assert back["reasons"] == ["A defect was planted. (clock)"]
    assert (office.version(), office.running_version()) == (NEXT, NEXT)
    assert staying.send(message(2), RECIPIENT).startswith("250 ")

    assert "add --older" in str(office.upgrade("--from", wheel(wheels, FIRST), code=1)["said"])

    done = office.upgrade("--from", wheel(wheels, LATEST))
    assert (done["outcome"], done["reasons"], done["missing"]) == ("upgraded", [], [])
    assert (office.version(), office.running_version(), office.supervisor) == (LATEST, LATEST, number)
    assert call(office).send(message(3), RECIPIENT).startswith("250 ")
    until("all have come", lambda: len(primary.taken) == 3)
    assert office.stop() == 0


def test_cut_short_it_is_finished_or_taken_back(office: Installed, wheels: Path, call: Call) -> None:
    """The service goes on with one of the versions, and the next command says with which."""
    office.begin()
    for name, (octets, why) in BAD.items():
        if octets is not None:
            (office.log.parent / name).write_bytes(octets)
        assert why in str(office.upgrade("--from", office.log.parent / name, code=1)["said"])
    for step in ("installing", "changing"):
        journal = office.program.parent.parent / "versions" / "upgrade.json"
        command = [str(office.program), "--config", str(office.config), "upgrade"]
        upgrading = [*command, "--from", str(wheel(wheels, NEXT))]
        with subprocess.Popen(upgrading, stdout=subprocess.DEVNULL) as running:
            end = time.monotonic() + UPGRADE_SECONDS_MAX
            while not (journal.exists() and json.loads(journal.read_bytes())["step"] == step):
                assert time.monotonic() < end
                assert running.poll() is None
                time.sleep(0.02)
            if step == "installing":
                second = subprocess.run(upgrading, capture_output=True, text=True, check=False)
                assert "another upgrade goes on" in second.stderr
            running.kill()
        finished = subprocess.run([*command, "--finish"], capture_output=True, text=True, check=True)
        assert f"was cut short while it was {step}" in finished.stdout
        assert f"version {office.version()}, and so it stays" in finished.stdout
        assert call(office).send(message(1), RECIPIENT).startswith("250 ")
        is_next = office.version() == NEXT
        assert (office.running_version() == NEXT) is is_next
    assert office.stop() == 0


BAD = {
    "no-such-file.whl": (None, "cannot be read"),
    "empty.whl": (b"", "is no wheel"),
    "text.whl": (b"hello" * 100, "is no wheel"),
}
