"""Logins at other servers: smtp_sasl_password_maps (SASL_README). Passwords go into files of their own,
and never into a report.
"""

from dataclasses import dataclass, field

from secondpost.config.positions import KeyPath
from secondpost.mail.address import Endpoint
from secondpost.setup.importing.carried import Fate
from secondpost.setup.importing.postfix.ledger import PostfixLedger
from secondpost.setup.importing.postfix.services import SMTP_PORT
from secondpost.setup.importing.postfix.settings import PostfixSettings
from secondpost.setup.importing.postfix.tables import ListedTable, OldTable, TableValue, Unknowable
from secondpost.setup.importing.postfix.ways import NamedHosts

NAME = "smtp_sasl_password_maps"
FOLDER = "passwords"  # beside the new file


@dataclass(frozen=True, slots=True)
class PostfixLogin:
    """`file`: the name of the password's file beside ours."""

    username: str
    file: str


@dataclass(slots=True)
class OldLogins:
    settings: PostfixSettings
    tables: tuple[OldTable, ...]
    ledger: PostfixLedger
    passwords: dict[str, str] = field(default_factory=dict, repr=False)  # by the name of the file

    def at(self, way: NamedHosts, becomes: KeyPath) -> PostfixLogin | None:
        """The login at the first host of a way. `becomes`: the path of its [[route]]."""
        if not self.settings.is_on("smtp_sasl_auth_enable"):
            return None
        host = Endpoint.parse(way.hosts[0], SMTP_PORT).host
        for table in self.tables:
            for key in (way.written, host, f"[{host}]"):
                result = table.lookup(key)
                if isinstance(result, Unknowable):
                    why = f"{result.reason} Write `username` and `password_file` into its [[route]]."
                    self.ledger.not_carried(NAME, why)
                elif isinstance(result, TableValue):
                    return self._login(table, key, result, host, becomes)
        return None

    def _login(
        self, table: OldTable, key: str, found: TableValue, host: str, becomes: KeyPath
    ) -> PostfixLogin | None:
        username, colon, password = found.value.partition(":")
        if len(colon) == 0 or len(username) == 0 or len(password) == 0:
            self.ledger.not_carried(NAME, f"The entry for {key} is not USERNAME:PASSWORD.")
            return None
        if not found.value.isprintable():
            self.ledger.not_carried(NAME, f"The entry for {key} has characters that are not UTF-8 text.")
            return None
        file = f"{FOLDER}/{host}"
        while self.passwords.get(file, f"{password}\n") != f"{password}\n":
            file += "-2"  # another login at the same host
        self.passwords[file] = f"{password}\n"
        places = ((*becomes, "username"), (*becomes, "password_file"))
        self.ledger.carried(NAME, *places)
        self.ledger.carried("smtp_sasl_auth_enable", *places)
        if isinstance(table, ListedTable) and found.place.path != self.ledger.path:
            why = "The password is in a file of its own, which the service's user has to be able to read."
            entry = TableValue("", found.place, f"{key} (not shown)")
            self.ledger.table(entry, Fate.CARRIED, why, *places)
        return PostfixLogin(username, file)
