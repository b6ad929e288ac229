"""What the supervisor does about an older store, before it starts a role."""

import socket
from pathlib import Path

import pytest

from secondpost.config.reading import read_config
from secondpost.maillog import MailLog
from secondpost.processes.migrating import migrate_store
from secondpost.processes.own_rooms import log_migrated, migrate_unless_prepared
from secondpost.store.ports import StoreRefused
from secondpost.store.sqlite.kept import kept_copies
from tests.cli.office import open_office
from tests.cli.test_upgrade import NEWEST, schema_of, take_back


def test_the_service_manager_hears_what_is_done_and_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = read_config(str(open_office(tmp_path).config))
    take_back(tmp_path, 30)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address := f"\0secondpost-test-{tmp_path}"[:90])
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@", 1))
        [migrated] = migrate_unless_prepared(config, is_prepared=False)
        manager.setblocking(False)
        heard = manager.recv(4096).decode().splitlines()
    assert heard[0] == "EXTEND_TIMEOUT_USEC=3600000000"
    assert heard[1].startswith("STATUS=keeping a copy of mail.db first: ")
    lines: list[str] = []
    log_migrated(MailLog(lambda line: lines.append(str(line))), [migrated])
    assert migrated.kept is not None
    assert (migrated.old_schema, migrated.schema, len(lines)) == (30, NEWEST, 1)
    assert migrate_unless_prepared(config, is_prepared=True) == ()


def test_a_list_of_readers_that_cannot_be_read_does_not_keep_mail_from_being_migrated(tmp_path: Path) -> None:
    config = read_config(str(open_office(tmp_path).config))
    take_back(tmp_path, 30)
    broken = tmp_path / "store" / "newsletter" / "newsletter.db"
    broken.parent.mkdir()
    broken.write_bytes(b"this is no database. " * 1_000)
    with pytest.raises(StoreRefused, match="not a database"):
        migrate_store(config)
    mail = tmp_path / "store" / "mail" / "mail.db"
    assert schema_of(mail) == 30
    [migrated] = migrate_store(config, passes_unreadable=True)
    assert (migrated.database.file_name, schema_of(mail)) == ("mail.db", NEWEST)
    assert len(kept_copies(str(mail))) == 1
