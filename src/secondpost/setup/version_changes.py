"""What new versions change for readers, and for primaries and senders: version_changes.toml."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

import msgspec


@dataclass(frozen=True, slots=True)
class VersionChange:
    """What came with a schema of the store or with a version of the configuration; the other is 0."""

    readers: str  # "": nothing that they notice
    others: str  # primaries and senders; the same
    schema: int = 0
    configuration: int = 0


class VersionChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema_looked_at: int  # every schema up to this one has its entry, or changes nothing for others
    configuration_looked_at: int
    change: tuple[VersionChange, ...]

    def since(self, schemas: Mapping[str, int], configuration: int) -> Iterator[VersionChange]:
        """What came after the oldest of these schemas, and after this version of the configuration."""
        oldest = min(schemas.values(), default=self.schema_looked_at)
        for each in self.change:
            if each.schema > oldest or each.configuration > configuration:
                yield each


def version_changes() -> VersionChanges:
    text = files("secondpost.setup").joinpath("version_changes.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), VersionChanges)
