"""The recipients files of the receive role: the disk is a dict."""

from secondpost.config.recipients import RecipientFault, RecipientFaults, RecipientList, decode_recipients
from secondpost.config.records import Backup, Config, RecipientFile, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.receive.lists import LOOK_MS, RecipientLists, Stamp
from tests.alarms import logged_alarms
from tests.clock import SetClock

DOMAIN = Domain("example.net")
PATH = "/etc/secondpost/recipients"


class Disk:
    def __init__(self, content: bytes | None) -> None:
        self.content = content

    def stamp(self, path: str) -> Stamp | None:
        return None if self.content is None else (hash(self.content), 0, 0)

    def read(self, path: str, domain: Domain) -> RecipientList:
        if self.content is None:
            raise RecipientFaults((RecipientFault(0, "it cannot be read: No such file or directory"),))
        return decode_recipients(self.content, domain)


def lists_of(disk: Disk, clock: SetClock, lines: list[str], copies: dict[str, bytes]) -> RecipientLists:
    config = Config(
        path="secondpost.toml",
        hostname=Domain("mx2.example.net"),
        store="/var/lib/secondpost",
        owner=(Mailbox.parse("me@elsewhere.example"),),
        bounces=Domain("mx2.example.net"),
        web=Web(url=None),
        backups=(Backup(DOMAIN, recipients=(RecipientFile(PATH),)),),
    )
    return RecipientLists(config, clock, logged_alarms(lines), disk.stamp, disk.read, copies)


def listed(lists: RecipientLists) -> set[str]:
    return {key.partition("@")[0] for key in lists.domains()[DOMAIN].listed}


def test_a_list_that_is_broken_when_the_role_starts_again_is_that_of_its_copy_until_it_is_good() -> None:
    """Without it, all its recipients would be refused for good."""
    disk, clock, lines = Disk(b"me\nno such@thing@here\n"), SetClock(), list[str]()
    lists = lists_of(disk, clock, lines, {PATH: b"me\nyou\n"})
    assert listed(lists) == {"me", "you", "postmaster"}
    assert "about=recipients-file" in lines[0]
    disk.content = None
    clock.ms += LOOK_MS
    assert listed(lists) == {"me", "you", "postmaster"}
    disk.content = b"me\n"
    clock.ms += LOOK_MS
    assert listed(lists) == {"me", "postmaster"}
    disk.content = b"not@here@either\n"
    clock.ms += LOOK_MS
    assert listed(lists) == {"me", "postmaster"}


def test_without_a_copy_only_the_postmaster_is_listed() -> None:
    lists = lists_of(Disk(None), SetClock(), [], {})
    assert listed(lists) == {"postmaster"}
