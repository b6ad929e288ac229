"""All disk images that a power cut may leave, computed from the log of operations.

A write is durable once its file was synced after it, a name once its folder was synced. Everything
else is pending, and a cut may keep any part of it: none, all, only the last, a random subset, half
of a write.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from secondpost.world.ports import Dice
from simulation.disk.operations import (
    Change,
    Created,
    FolderChange,
    FolderMade,
    FolderSynced,
    Image,
    Operation,
    Removed,
    Synced,
    SyncFailed,
    Truncated,
    Wrote,
    folder_of,
)

SECTOR_OCTETS = 512  # a disk writes a sector completely or not at all


@dataclass(frozen=True, slots=True)
class Depth:
    """How many of the possible images are generated."""

    tears: int  # most images of one torn write
    subsets: int  # images of random subsets, for each position
    stride: int  # in a run of writes only every n-th is a position to cut; after other operations always


WHOLE = Depth(tears=8, subsets=4, stride=1)


class Model(Enum):
    """What a sync makes durable beyond what was asked for."""

    POSIX = "posix"  # nothing: only a sync of the folder keeps its names, in any order
    EXT4 = "ext4"  # a sync of any file commits the journal: all earlier names, in order


@dataclass(frozen=True, slots=True)
class Kept:
    """The pending changes and entries that survive the cut, by index."""

    changes: frozenset[int]
    entries: frozenset[int]
    tear: tuple[int, int] | None = None  # of the last kept change keep only these octets: [start, end)


class Platter:
    """The durable state of a disk and its pending operations."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._files: dict[int, bytearray] = {}
        self._names: dict[str, int | None] = {}  # None: a folder
        self._changes: list[Change] = []
        self._entries: list[FolderChange] = []

    def apply(self, operation: Operation) -> None:
        match operation:
            case Wrote(file) | Truncated(file):
                if file in self._files:  # otherwise the name is gone durably, and only an open handle is left
                    self._changes.append(operation)
            case Synced(file):
                for change in self._changes:
                    if change.file == file:
                        _change(self._files[file], change)
                self._changes = [change for change in self._changes if change.file != file]
                if self._model is Model.EXT4:
                    self._keep_entries(self._entries)
                    self._entries = []
            case SyncFailed(file):
                self._changes = [change for change in self._changes if change.file != file]
            case FolderSynced(folder):
                self._keep_entries([entry for entry in self._entries if folder_of(entry.name) == folder])
                self._entries = [entry for entry in self._entries if folder_of(entry.name) != folder]
            case Created(file, _):
                self._files[file] = bytearray()
                self._entries.append(operation)
            case Removed() | FolderMade():
                self._entries.append(operation)

    def _keep_entries(self, entries: Sequence[FolderChange]) -> None:
        for entry in entries:
            gone = self._names.get(entry.name)
            _enter(self._names, entry)
            if isinstance(entry, Removed) and gone is not None:
                del self._files[gone]
                self._changes = [change for change in self._changes if change.file != gone]

    def image(self, kept: Kept) -> Image:
        names = dict(self._names)
        for number in sorted(kept.entries):
            _enter(names, self._entries[number])
        files: dict[int, bytearray] = {}
        chosen = sorted(kept.changes)
        for number in chosen:
            change = self._changes[number]
            if kept.tear is not None and number == chosen[-1] and isinstance(change, Wrote):
                first, beyond = kept.tear
                change = Wrote(change.file, change.offset + first, change.data[first:beyond])
            if change.file not in files:
                files[change.file] = bytearray(self._files[change.file])
            _change(files[change.file], change)
        return {
            name: bytes(files[file] if file in files else self._files[file])
            for name, file in names.items()
            if file is not None and _reachable(name, names)
        }

    def random_kept(self, dice: Dice) -> Kept:
        """One possible outcome: each pending operation survives with one random probability."""
        likely = dice.fraction()
        changes = _some(len(self._changes), dice, likely)
        tear = None
        if len(changes) > 0 and dice.fraction() < 0.5:
            change = self._changes[max(changes)]
            if isinstance(change, Wrote):
                sectors = (len(change.data) - 1) // SECTOR_OCTETS
                tear = (0, int(dice.fraction() * (sectors + 1)) * SECTOR_OCTETS)
        return Kept(changes, self._some_entries(dice, likely), tear)

    def _some_entries(self, dice: Dice, likely: float) -> frozenset[int]:
        if self._model is Model.POSIX:
            return _some(len(self._entries), dice, likely)
        return frozenset(range(int(dice.fraction() * (len(self._entries) + 1))))

    def outcomes(self, depth: Depth, dice: Dice) -> Iterator[Kept]:
        """The extreme outcomes and random ones between them, without duplicates."""
        seen: set[Kept] = set()
        for kept in self._outcomes(depth, dice):
            if kept not in seen:
                seen.add(kept)
                yield kept

    def _outcomes(self, depth: Depth, dice: Dice) -> Iterator[Kept]:
        nothing: frozenset[int] = frozenset()
        changes = frozenset(range(len(self._changes)))
        entries = frozenset(range(len(self._entries)))
        yield Kept(nothing, nothing)
        yield Kept(changes, entries)
        yield Kept(changes, nothing)
        yield Kept(nothing, entries)
        if len(changes) == 0:
            return
        last = frozenset({len(changes) - 1})
        yield Kept(last, entries)
        yield Kept(changes - last, entries)
        for _ in range(depth.subsets if len(changes) > 2 else 0):
            yield Kept(_some(len(changes), dice, 0.5), self._some_entries(dice, 0.5))
        change = self._changes[-1]
        if depth.tears > 0 and isinstance(change, Wrote):
            edges = list(range(SECTOR_OCTETS, len(change.data), SECTOR_OCTETS))
            for edge in edges if len(edges) <= depth.tears else dice.shuffled(edges)[: depth.tears]:
                yield Kept(changes, entries, (0, edge))
            if len(edges) > 0:  # the sectors of one write reach the disk in any order
                yield Kept(changes, entries, (edges[-1], len(change.data)))


def _some(count: int, dice: Dice, likely: float) -> frozenset[int]:
    return frozenset(number for number in range(count) if dice.fraction() < likely)


def _change(content: bytearray, change: Change) -> None:
    match change:
        case Wrote(_, offset, data):
            if offset > len(content):
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data)] = data
        case Truncated(_, size):
            if size > len(content):
                content.extend(bytes(size - len(content)))
            del content[size:]


def _enter(names: dict[str, int | None], entry: FolderChange) -> None:
    match entry:
        case Created(file, name):
            names[name] = file
        case FolderMade(name):
            names[name] = None
        case Removed(name):
            names.pop(name, None)


def _reachable(name: str, names: dict[str, int | None]) -> bool:
    folder = folder_of(name)
    return folder == "" or (folder in names and _reachable(folder, names))


@dataclass(frozen=True, slots=True)
class CrashState:
    upto: int  # the cut came after this many operations of the log
    image: Image


def crash_states(
    log: Sequence[Operation],
    first: int,
    *,
    dice: Dice,
    model: Model = Model.POSIX,
    depth: Depth = WHOLE,
) -> Iterator[CrashState]:
    """The images that a cut after `log[:first]`, or after any later operation, may leave."""
    platter = Platter(model)
    for operation in log[:first]:
        platter.apply(operation)
    writes = 0  # consecutive writes
    for upto in range(first, len(log) + 1):
        if upto > first:
            platter.apply(log[upto - 1])
            writes = writes + 1 if isinstance(log[upto - 1], Wrote) else 0
        if writes % depth.stride != 0 and upto < len(log):
            continue
        for kept in platter.outcomes(depth, dice):
            yield CrashState(upto, platter.image(kept))


def write_image(image: Image, folder: Path) -> None:
    """Write an image into a folder, which must be empty or missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in image.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
