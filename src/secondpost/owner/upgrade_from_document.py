"""The document of `secondpost upgrade --from`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UpgradeDocument:
    """`outcome`: `upgraded`, `refused` (nothing changed), `back` (the former version runs again) or
    `would` (with --dry-run); `missing`: roles that do not serve.
    """

    config: str
    old: str
    new: str
    outcome: str
    running: bool
    reasons: list[str]
    missing: list[str]
