"""The document of `secondpost reload`."""

from dataclasses import dataclass

from secondpost.config.faults import Fault


@dataclass(frozen=True, slots=True)
class FaultDocument:
    key: str
    line: int | None
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class ReloadDocument:
    """`changes`: the keys that have another value."""

    config: str
    reloaded: bool
    changes: list[str]
    faults: list[FaultDocument]
    warnings: list[str]


def fault_document(fault: Fault) -> FaultDocument:
    return FaultDocument(fault.key, fault.line if fault.line > 0 else None, fault.reason, fault.hint)
