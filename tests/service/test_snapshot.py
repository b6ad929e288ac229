"""A snapshot, saved while mail comes in and an issue goes out, restored on a second machine."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.postoffice import RECIPIENT
from tests.newsletter.writing import atom
from tests.service.newsroom import BY_HAND, EVERYTHING, Newsroom
from tests.service.primary import Client, Primary
from tests.service.test_hard_times import until
from tests.world.web_server import WebServer, answer

NAME = "weekly"
READERS = [f"reader{n}@crowd.example" for n in range(300)]
OWNER = "me@elsewhere.example"
# A process tree on another machine: its own /etc/machine-id, in a mount namespace of its own.
ELSEWHERE = ("unshare", "--mount", "--propagation", "private", "--fork", "sh", "-c")
MOUNTED = 'mount --bind "$0" /etc/machine-id && exec "$@"'
LARGE = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 76 + b"\r\n") * 4000  # a content file


class Post(threading.Thread):
    """Sends mail until `stop`; `taken` are the subjects that were answered 250."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._stopping = threading.Event()
        self.taken: list[str] = []

    def run(self) -> None:
        client = Client(self._port)
        n = 0
        while not self._stopping.is_set():
            n += 1
            subject = f"m{n}"
            body = (
                LARGE.replace(b"large", subject.encode()) if n % 25 == 0 else b"Subject: " + subject.encode()
            )
            if client.send(body + b"\r\n\r\nx\r\n", RECIPIENT).startswith("250"):
                self.taken.append(subject)
        client.close()

    def stop(self) -> None:
        self._stopping.set()
        self.join()


@dataclass(frozen=True, slots=True)
class Machines:
    old: Newsroom
    new: Newsroom
    readers: Primary
    primary: Primary
    snapshot: Path

    def subjects(self) -> Counter[str]:
        """Of relayed mail that the primary has."""
        return Counter(content.split(b"\r\n", 1)[0].decode() for content in self.bodies())

    def bodies(self) -> list[bytes]:
        return [b"Subject: " + mail.content.split(b"Subject: ", 1)[1] for mail in list(self.primary.mails)]

    def issues(self) -> Counter[str]:
        """How many mails each reader has."""
        return Counter(mail.recipients[0] for mail in list(self.readers.mails) if mail.recipients[0] != OWNER)

    def owners(self) -> list[str]:
        return [
            mail.content.decode("utf-8", "replace")
            for mail in list(self.readers.mails)
            if mail.recipients == (OWNER,)
        ]


@pytest.fixture
def machines(tmp_path: Path, primary: Primary) -> Iterator[Machines]:
    pages: dict[str, bytes | None] = {f"/{NAME}": answer("200 OK", atom((1, 2)))}
    with WebServer(pages).in_a_thread() as blog, Primary() as readers:
        rooms = []
        for name in ("old", "new"):
            (tmp_path / name).mkdir()
            more = {NAME: f"{EVERYTHING}\n{BY_HAND}"}
            rooms.append(Newsroom(tmp_path / name, blog, readers.port, more, primary.port))
        old, new = rooms
        (tmp_path / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        new._wrapper = (*ELSEWHERE, MOUNTED, str(tmp_path / "machine-id"))
        try:
            yield Machines(old, new, readers, primary, tmp_path / "snapshot.tar")
        finally:
            old.end()
            new.end()


def test_a_restored_snapshot_sends_nothing_that_was_sent_and_then_all_that_was_not(
    machines: Machines,
) -> None:
    old, new = machines.old, machines.new
    old.have_readers({NAME: READERS})
    old.start()
    old.wait_for_roles()
    post = Post(old.port)
    post.start()
    until("mail comes in", lambda: len(post.taken) > 30)
    done = old.run("issue", "send", NAME)
    assert done.returncode == 0, done.stderr
    until("the issue goes out", lambda: len(machines.issues()) > 20)
    acknowledged = list(post.taken)  # before the snapshot
    saved = old.run("snapshot", "save", str(machines.snapshot), "--json")
    assert saved.returncode == 0, saved.stderr
    post.stop()
    counts = json.loads(saved.stdout)["counts"]
    assert counts["mail.db"]["message"] >= len(acknowledged)
    until("every reader has the issue", lambda: len(machines.issues()) == len(READERS))
    machines.primary.open()
    until("the old machine passes mail on", lambda: len(machines.subjects()) > 10)
    old.stop()
    before = machines.subjects()

    assert new.run("snapshot", "restore", str(machines.snapshot)).returncode == 0
    new.start()
    new.wait_for_roles()
    until("the owner hears of it", lambda: any("snapshot accept" in text for text in machines.owners()))
    assert "about=sending-held" in new.log.read_text()
    assert "snapshot accept" in new.command("status")
    assert new.run("issue", "send", NAME).returncode == 1
    client = Client(new.port)
    assert client.send(b"Subject: after\r\n\r\nx\r\n", RECIPIENT).startswith("250"), (
        "a backup goes on accepting"
    )
    client.close()
    until("mail that came since is passed on", lambda: machines.subjects()["Subject: after"] == 1)
    assert machines.subjects() - before == Counter({"Subject: after": 1})
    assert set(machines.issues().values()) == {1}, "no reader has the issue twice"

    assert new.run("snapshot", "accept", "--yes").returncode == 0
    # A mail that was `committing` in the snapshot was unknown as soon as the copy was swept.
    assert count_of(new, "delivered") + count_of(new, "unknown") == len(READERS), "none of them gets it again"
    wanted = {f"Subject: {subject}" for subject in acknowledged}
    until("all that was acknowledged arrives", lambda: wanted <= set(machines.subjects()))
    until("the alarm ends", lambda: "alarm-over about=sending-held" in new.log.read_text())
    until("the issue is done", lambda: new.is_done(NAME, 1))
    assert set(machines.issues().values()) == {1}
    assert max(machines.subjects().values()) <= 2, "relayed mail may come twice, and no more"
    new.stop()


def count_of(room: Newsroom, state: str) -> int:
    """Of the issue's deliveries."""
    [(count,)] = room.rows(f"SELECT count(*) FROM delivery WHERE issue IS NOT NULL AND state = '{state}'")
    assert isinstance(count, int)
    return count
