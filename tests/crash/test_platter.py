"""The model of what a power cut may leave."""

from simulation.dice import SimDice
from simulation.disk.crash import WHOLE, Depth, Model, crash_states
from simulation.disk.operations import (
    Created,
    FolderMade,
    FolderSynced,
    Image,
    Operation,
    Removed,
    Synced,
    SyncFailed,
    Truncated,
    Wrote,
)


def images(log: list[Operation], model: Model = Model.POSIX, depth: Depth = WHOLE) -> list[Image]:
    """The images of a cut after the last operation."""
    states = crash_states(log, len(log), dice=SimDice("platter"), model=model, depth=depth)
    return [state.image for state in states]


NEW_FILE: list[Operation] = [Created(1, "mail"), Wrote(1, 0, b"whole")]


def test_what_was_synced_with_its_folder_is_there_in_every_image() -> None:
    assert images([*NEW_FILE, Synced(1), FolderSynced("")]) == [{"mail": b"whole"}]


def test_a_synced_file_may_lose_its_name_until_the_folder_is_synced() -> None:
    left = images([*NEW_FILE, Synced(1)])
    assert {} in left
    assert {"mail": b"whole"} in left


def test_on_ext4_the_sync_of_a_file_keeps_earlier_names() -> None:
    assert images([*NEW_FILE, Synced(1)], Model.EXT4) == [{"mail": b"whole"}]
    assert {} in images([*NEW_FILE, Synced(1), FolderSynced(""), Removed("mail")], Model.EXT4)


def test_on_ext4_names_are_lost_in_their_order_only() -> None:
    log: list[Operation] = [Created(1, "first"), Created(2, "second")]
    for _ in range(20):
        assert {"second": b""} not in images(log, Model.EXT4)


def test_an_unsynced_write_may_be_lost_kept_or_torn() -> None:
    old, new = b"a" * 2048, b"b" * 2048
    log: list[Operation] = [
        Created(1, "mail"),
        Wrote(1, 0, old),
        Synced(1),
        FolderSynced(""),
        Wrote(1, 0, new),
    ]
    left = [image["mail"] for image in images(log)]
    assert old in left
    assert new in left
    assert new[:512] + old[512:] in left
    assert new[:1536] + old[1536:] in left
    assert old[:1536] + new[1536:] in left
    assert len(images(log, depth=Depth(tears=0, subsets=0, stride=1))) < len(left)


def test_the_last_write_may_overtake_the_one_before_it() -> None:
    log: list[Operation] = [Created(1, "mail"), FolderSynced(""), Wrote(1, 0, b"one"), Wrote(1, 3, b"two")]
    left = [image["mail"] for image in images(log)]
    assert b"\0\0\0two" in left
    assert b"one" in left


def test_a_folder_that_is_lost_takes_its_files_with_it() -> None:
    log: list[Operation] = [
        FolderMade("content"),
        Created(1, "content/1"),
        Synced(1),
        FolderSynced("content"),
    ]
    assert {} in images(log)
    assert images([*log, FolderSynced("")]) == [{"content/1": b""}]


def test_a_failed_sync_loses_the_pages_whatever_later_syncs_say() -> None:
    log: list[Operation] = [*NEW_FILE, FolderSynced(""), SyncFailed(1), Synced(1)]
    assert images(log) == [{"mail": b""}]


def test_a_removed_file_may_come_back_until_the_folder_is_synced() -> None:
    log: list[Operation] = [*NEW_FILE, Synced(1), FolderSynced(""), Removed("mail")]
    assert {"mail": b"whole"} in images(log)
    assert images([*log, FolderSynced("")]) == [{}]


def test_a_truncation_waits_for_a_sync_like_a_write() -> None:
    log: list[Operation] = [*NEW_FILE, Synced(1), FolderSynced(""), Truncated(1, 2)]
    assert [image["mail"] for image in images(log)] == [b"whole", b"wh"]
    assert images([*log, Synced(1)]) == [{"mail": b"wh"}]
