"""What the Debian package removes when it is purged. Its script runs over an empty /etc of its own."""

import subprocess
from pathlib import Path

import pytest

POSTRM = Path(__file__).parent.parent.parent / "debian" / "postrm"
PURGE = """\
mount -t tmpfs none /etc
mkdir -p /etc/secondpost/store/mail "$1/mail"
printf '%s\\n' "$2" > /etc/secondpost/secondpost.toml
touch "$3"
sh "$0" purge
[ ! -e "$3" ] || echo the store is there
[ ! -e /etc/secondpost/secondpost.toml ] || echo the configuration is there
"""


@pytest.mark.parametrize("written", ['store = "{}"', "  store='{}' # the disk for mail"])
def test_the_configuration_is_removed_and_the_store_named(tmp_path: Path, written: str) -> None:
    said = purged(tmp_path, written.format(tmp_path), tmp_path / "mail/mail.db")
    assert said == [
        f"Mail, readers and keys are still in {tmp_path}. If you need none of them: rm -r {tmp_path}",
        "the store is there",
    ]


def test_a_store_among_the_configuration_is_not_removed(tmp_path: Path) -> None:
    database = Path("/etc/secondpost/store/mail/mail.db")
    said = purged(tmp_path, 'store = "/etc/secondpost/store"', database)
    assert said[0] == "The store lies in /etc/secondpost, so nothing there was removed."
    assert said[-2:] == ["the store is there", "the configuration is there"]


def purged(folder: Path, line: str, database: Path) -> list[str]:
    command = ["unshare", "--map-root-user", "--mount", "sh", "-ec", PURGE]
    arguments = [str(POSTRM), str(folder), line, str(database)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
