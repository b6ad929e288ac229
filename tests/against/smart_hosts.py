"""Real servers that take mail only from those who logged in: Postfix with Cyrus SASL, and Exim."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import peers
from tests.against.primaries import PostfixPrimary, Primary, maildir_in
from tests.against.servers import Exim, folder_of
from tests.world.certificates import make_pair

NAME: Final = "peer.example"
USERNAME: Final = "we@peer.example"
PASSWORD: Final = "correct h\u00f6rse, battery=staple"
ENCRYPTED_FIRST: Final = "127.83.14.65"  # its own address, so that port 465 is free


def smart_host(place: Path, mechanisms: Sequence[str], *, tls: bool = True) -> PostfixPrimary:
    """`mechanisms`: those that it offers. `tls`: over TLS only; otherwise it has no certificate."""
    logins = place / "logins"
    logins.mkdir()
    sasl = peers.find("sasl")
    _write_password(sasl, logins)
    more = {
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_local_domain": NAME,
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject",
    }
    if tls:
        pair = make_pair(logins, NAME)
        more |= {
            "smtpd_tls_cert_file": pair.certificate,
            "smtpd_tls_key_file": pair.key,
            "smtpd_tls_security_level": "may",
            "smtpd_tls_auth_only": "yes",
        }
    services = (f"{ENCRYPTED_FIRST}:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes",) if tls else ()
    primary = PostfixPrimary.prepared(
        place, more=more, services=services, surroundings={"SASL_PATH": str(_plugins(sasl, logins))}
    )
    settings = primary.postfix.etc / "sasl"  # where Debian's Postfix looks, whatever its main.cf says
    settings.mkdir()
    (settings / "smtpd.conf").write_text(
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
        f"sasldb_path: {logins}/sasldb2\nmech_list: {' '.join(mechanisms)}\n"
    )
    return primary


def _write_password(sasl: peers.Peer, logins: Path) -> None:
    user, _, realm = USERNAME.partition("@")
    database = logins / "sasldb2"
    subprocess.run(
        [str(sasl.file("usr/sbin/saslpasswd2")), "-p", "-c", "-u", realm, "-f", str(database), user],
        input=PASSWORD.encode(),
        env=sasl.environment,
        check=True,
        capture_output=True,
    )
    owner = peers.number_of("postfix")
    os.chown(database, owner, owner)


def _plugins(sasl: peers.Peer, logins: Path) -> Path:
    """A folder with each plugin once: those of the system were not unpacked again."""
    together = logins / "plugins"
    together.mkdir()
    for root in (sasl.root, Path("/")):
        for plugin in root.glob("usr/lib/*-linux-gnu*/sasl2/*.so"):
            if not (together / plugin.name).exists():
                (together / plugin.name).symlink_to(plugin)
    return together


class EximSmartHost(Exim, Primary):
    def __init__(self, place: Path, mechanism: str) -> None:
        super().__init__(folder_of(place, "exim"), "1m")
        pair = make_pair(self.folder, NAME)
        self.maildir = maildir_in(self.folder, peers.number_of("Debian-exim"))
        prompts, name, password = {"PLAIN": (":", 2, 3), "LOGIN": ("Username:: : Password::", 1, 2)}[
            mechanism
        ]
        self.write(
            NAME,
            f"""\
tls_advertise_hosts = *
tls_certificate = {pair.certificate}
tls_privatekey = {pair.key}
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_rcpt = check_rcpt
begin acl
check_rcpt:
  accept authenticated = *
  deny message = log in first
begin routers
keep:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {self.maildir}
  maildir_format
  user = Debian-exim
begin authenticators
only:
  driver = plaintext
  public_name = {mechanism}
  server_prompts = {prompts}
  server_condition = ${{if and{{{{eq{{$auth{name}}}{{{USERNAME}}}}}{{eq{{$auth{password}}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth{name}
""",
        )
