"""Snapshots are saved, examined, restored and accepted; nothing hostile in one gets out of it."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from secondpost.mail.snapshot import MANIFEST
from secondpost.roles.snapshot_restore import Restoring
from secondpost.world.real.snapshot_reader import read_manifest
from tests.cli.newspaper import Newspaper
from tests.cli.office import Office

DATABASE = "store/mail/mail.db"
Members = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture
def saved(office: Office) -> Path:
    path = office.folder / "snapshot.tar"
    office.run("snapshot", "save", str(path))
    return path


def restored(office: Office, saved: Path) -> Office:
    """Another office with the snapshot in its store."""
    folder = office.folder / "other"
    folder.mkdir()
    (folder / "secondpost.toml").write_text(
        office.config.read_text().replace(str(office.folder / "store"), str(folder / "store"))
    )
    names = ("primary", "both", "waiting", "own", "quarantine", "refused", "delivered")
    other = Office(folder, *(getattr(office, name) for name in names))
    other.run("snapshot", "restore", str(saved))
    return other


def standings(office: Office) -> dict[str, str]:
    document = json.loads(office.run("queue", "list", "--json").stdout)
    return {one["id"]: one["standing"] for one in document["deliveries"]}


def members_of(path: Path) -> Members:
    with tarfile.open(path) as tar:
        return [(member, extracted(tar, member)) for member in tar]


def extracted(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def rewritten(path: Path, members: Members) -> None:
    with tarfile.open(path, "w") as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data))


def test_a_snapshot_is_for_its_owner_alone_and_says_what_it_holds(office: Office, saved: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    shown = office.run("snapshot", "show", str(saved)).stdout
    assert "mx2.example.net" in shown
    assert "mail.db: 7 in message, 8 in delivery" in shown
    document = json.loads(office.run("snapshot", "verify", str(saved), "--json").stdout)
    assert document["counts"]["mail.db"]["message"] == 7
    assert sorted(path.name for path in office.folder.iterdir()) == [
        "secondpost.toml",
        "snapshot.tar",
        "store",
    ]


def test_a_snapshot_never_replaces_a_file_and_has_a_name_of_its_own_in_a_folder(
    office: Office, saved: Path
) -> None:
    assert "already exists" in office.run("snapshot", "save", str(saved), code=1).stderr
    folder = office.folder / "backups"
    folder.mkdir()
    office.run("snapshot", "save", str(folder))
    [path] = folder.iterdir()
    assert path.name.startswith("secondpost-mx2.example.net-")


def test_standard_output_takes_a_snapshot(office: Office) -> None:
    path = office.folder / "piped.tar"
    path.write_bytes(office.run("snapshot", "save", "-").stdout_bytes)
    assert "It is whole" in office.run("snapshot", "verify", str(path)).stdout


def test_one_content_file_of_two_messages_is_saved_once(office: Office) -> None:
    """Else the snapshot would be refused when it is needed."""
    content_named(office, "content/1-large", "content/1-large")
    office.run("snapshot", "save", str(path := office.folder / "snapshot.tar"))
    office.run("snapshot", "verify", str(path))
    assert [member.name for member, _ in members_of(path)].count("store/mail/content/1-large") == 1


@pytest.mark.parametrize("name", ["mail.db", "content/../mail.db", "content/\xe9", "content/-x"])
def test_a_content_file_that_no_snapshot_could_restore_is_named(office: Office, name: str) -> None:
    content_named(office, name)
    done = office.run("snapshot", "save", str(office.folder / "snapshot.tar"), code=1)
    assert f"mail.db names {name!r} as the file of a message" in done.stderr
    assert not (office.folder / "snapshot.tar").exists()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_link_or_a_pipe_in_place_of_a_content_file_is_not_read(office: Office, kind: str) -> None:
    content_named(office, "content/1-large")
    content = office.folder / "store" / "mail" / "content" / "1-large"
    content.unlink()
    if kind == "link":
        content.symlink_to(office.config)
    else:
        os.mkfifo(content)
    done = office.run("snapshot", "save", str(office.folder / "snapshot.tar"), code=1)
    assert str(content) in done.stderr


def content_named(office: Office, *names: str) -> None:
    """Have waiting messages lie in files of these names, as a role that was taken over can."""
    store = office.folder / "store" / "mail"
    (store / "content").mkdir(exist_ok=True)
    (store / "content" / "1-large").write_bytes(b"Subject: large\r\n\r\n")
    db = apsw.Connection(str(store / "mail.db"))
    waiting = db.execute("SELECT id FROM message WHERE ended_ms IS NULL LIMIT ?", (len(names),)).fetchall()
    for name, (number,) in zip(names, waiting, strict=True):
        db.execute("UPDATE message SET file = ? WHERE id = ?", (name, number))
    db.close()


def test_a_restored_store_holds_its_mail_until_it_is_accepted(office: Office, saved: Path) -> None:
    before = standings(office)
    other = restored(office, saved)
    assert "There is no terminal to ask on" in other.run("snapshot", "accept", code=2).stderr
    held = standings(other)
    waited = {id for id, standing in before.items() if standing in ("waiting", "held (primary)")}
    assert {id for id, standing in held.items() if standing == "held (copy)"} == waited
    assert "nothing to release" in other.run("queue", "release", "--all", "--yes", code=1).stderr
    assert "it was restored from a snapshot" in other.run("status").stdout
    assert json.loads(other.run("status", "--json").stdout)["copy"] == "it was restored from a snapshot"
    done = json.loads(other.run("snapshot", "accept", "--yes", "--json").stdout)
    assert done == {
        "delivered": 0,
        "sent_on": len(waited),
        "dropped": 0,
        "unknown": 0,
        "articles_skipped": 0,
    }
    assert standings(other) == before
    assert "is no copy" in other.run("snapshot", "accept", "--yes", code=1).stderr


def test_mail_that_the_originals_log_has_delivered_is_not_sent_again(office: Office, saved: Path) -> None:
    other = restored(office, saved)
    log = other.folder / "log"
    log.write_text(
        "Nov 29 12:00:00 mx2 secondpost[7]: 2026-11-29T12:00:00.000Z deliver delivered "
        f"id={office.both}/2 to=bob@example.net host=mx1.provider.example[192.0.2.1] reply=ok\n"
        f'2026-11-29T12:00:00.000Z deliver deferred id={office.both}/1 reply="delivered id={office.own}/1"\n'
    )
    done = json.loads(other.run("snapshot", "accept", "--yes", "--sent-log", str(log), "--json").stdout)
    assert (done["delivered"], done["sent_on"]) == (1, 4)
    assert f"{office.both}/2" not in standings(other)


def test_mail_in_a_copy_may_be_dropped(office: Office, saved: Path) -> None:
    other = restored(office, saved)
    done = json.loads(other.run("snapshot", "accept", "--yes", "--drop-mail", "--json").stdout)
    assert (done["dropped"], done["sent_on"]) == (5, 0)


def test_a_store_that_nothing_shows_to_be_a_copy_is_declared_one(office: Office) -> None:
    office.run("snapshot", "hold")
    assert "you said so" in office.run("snapshot", "accept", "--nothing-sent", "--yes").stdout


def test_a_restore_overwrites_nothing(office: Office, saved: Path) -> None:
    assert "is not empty" in office.run("snapshot", "restore", str(saved), code=1).stderr
    taken = office.folder / "taken"
    taken.mkdir()
    (taken / "file").write_text("mine")
    words = ("--store", str(office.folder / "new"), "--configuration", str(taken))
    assert "is not empty" in office.run("snapshot", "restore", str(saved), *words, code=1).stderr
    assert not (office.folder / "new" / "mail" / "mail.db").exists()


def test_the_configuration_comes_out_of_a_snapshot_only_into_a_new_folder(
    office: Office, saved: Path
) -> None:
    words = ("--store", str(office.folder / "new"), "--configuration", str(office.folder / "etc"))
    office.run("snapshot", "restore", str(saved), *words)
    assert (office.folder / "etc" / "secondpost.toml").read_text() == office.config.read_text()


def renamed(name: str) -> Callable[[tarfile.TarInfo], None]:
    def change(member: tarfile.TarInfo) -> None:
        member.name = name

    return change


def of_kind(kind: bytes) -> Callable[[tarfile.TarInfo], None]:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = kind, "/etc/passwd", 0

    return change


HOSTILE: dict[str, Callable[[tarfile.TarInfo], None]] = {
    "a way out": renamed("store/../../escaped"),
    "an absolute path": renamed("/escaped"),
    "a hidden name": renamed("store/mail/.hidden"),
    "the name twice": renamed("configuration/secondpost.toml"),
    "another name": renamed("store/mail/other.db"),
    "a link": of_kind(tarfile.SYMTYPE),
    "a hard link": of_kind(tarfile.LNKTYPE),
    "a device": of_kind(tarfile.CHRTYPE),
    "a pipe": of_kind(tarfile.FIFOTYPE),
    "a folder": of_kind(tarfile.DIRTYPE),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_member_is_refused_before_a_file_is_made(office: Office, saved: Path, what: str) -> None:
    members = members_of(saved)
    for member, _ in members:
        if member.name == DATABASE:
            HOSTILE[what](member)
    rewritten(saved, members)
    words = ("restore", str(saved), "--store", str(office.folder / "new"))
    assert "is refused" in office.run("snapshot", *words, code=1).stderr
    assert not (office.folder / "new").exists()
    assert not (office.folder / "escaped").exists()


def test_a_member_that_no_manifest_names_is_refused(office: Office, saved: Path) -> None:
    members = members_of(saved)
    more = tarfile.TarInfo("store/keys/more.pem")
    rewritten(saved, [(more, b""), *members])
    assert "not those of its manifest" in office.run("snapshot", "verify", str(saved), code=1).stderr


def test_a_snapshot_that_was_cut_off_or_changed_is_refused(office: Office, saved: Path) -> None:
    whole = saved.read_bytes()
    members = members_of(saved)
    rewritten(saved, [each for each in members if each[0].name != MANIFEST])
    assert "its manifest is missing" in office.run("snapshot", "show", str(saved), code=1).stderr
    saved.write_bytes(whole[: len(whole) // 2])
    assert "cut off" in office.run("snapshot", "show", str(saved), code=1).stderr
    at = whole.index(b"From me, 1.")
    saved.write_bytes(whole[:at] + b"From you 1." + whole[at + 11 :])
    assert "is not what was saved" in office.run("snapshot", "verify", str(saved), code=1).stderr


def test_a_snapshot_of_a_newer_version_is_refused(office: Office) -> None:
    database = apsw.Connection(str(office.folder / "store" / "mail" / "mail.db"))
    database.execute("INSERT INTO migration (number, name, applied_ms) VALUES (9999, 'later', 0)")
    database.close()
    path = office.folder / "newer.tar"
    office.run("snapshot", "save", str(path))
    words = ("restore", str(path), "--store", str(office.folder / "new"))
    assert "newer Secondpost" in office.run("snapshot", *words, code=1).stderr


def command(office: Office, *words: str) -> list[str]:
    return [sys.executable, "-m", "secondpost", "--config", str(office.config), "snapshot", *words]


def test_a_disk_that_fills_up_midway_keeps_nothing_of_a_snapshot(office: Office) -> None:
    path = office.folder / "full.tar"
    octets = (office.folder / "store" / "mail" / "mail.db").stat().st_size + 1_000
    limited = ["prlimit", f"--fsize={octets}", *command(office, "save", str(path))]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert (done.returncode, "File too large; nothing incomplete was left" in done.stderr) == (1, True)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command(office, "save", "-"), stdout=full, stderr=-1, text=True, check=False)
    assert (done.returncode, "No space left on device" in done.stderr) == (1, True)
    assert sorted(path.name for path in office.folder.iterdir()) == ["secondpost.toml", "store"]


def test_articles_that_the_original_may_have_sent_are_skipped(paper: Newspaper) -> None:
    paper.writes(1, 2)
    paper.run("issue", "next")
    paper.run("snapshot", "hold")
    assert "snapshot accept" in paper.run("issue", "send", code=1).stderr
    paper.writes(1, 2, 3)
    done = json.loads(paper.run("snapshot", "accept", "--yes", "--json").stdout)
    assert done["articles_skipped"] == 3, "also what the feed has had since"


def test_a_link_that_is_put_in_place_of_a_restored_file_is_not_followed(office: Office, saved: Path) -> None:
    """Root restores into folders of another user, who may be there at the same time."""
    manifest, victim = read_manifest(str(saved)), office.folder / "victim"
    victim.write_text("")
    victim.chmod(0o644)
    store = office.folder / "new"

    def replaced(done: int, total: int) -> None:
        if done == total:
            made = next(path for path in sorted(store.rglob("*")) if path.is_file())
            made.unlink()
            made.symlink_to(victim)

    with pytest.raises(OSError, match=r"symbolic links"):
        Restoring(str(store), None, replaced).restore(str(saved), manifest)
    assert victim.stat().st_mode & 0o777 == 0o644
    assert [path for path in store.rglob("*") if not path.is_dir()] == []


def test_a_restored_file_is_for_those_whom_its_room_is_for(office: Office, saved: Path) -> None:
    store = office.folder / "new"
    for folder, mode in (("mail", 0o2770), ("keys", 0o2750)):
        (store / folder).mkdir(parents=True)
        (store / folder).chmod(mode)
    members = members_of(saved)
    assert DATABASE in {member.name for member, _ in members}
    office.run("snapshot", "restore", str(saved), "--store", str(store))
    assert (store / "mail" / "mail.db").stat().st_mode & 0o777 == 0o660
