"""Which file is the configuration: the one that was named, else the first that is there."""

import os
from collections.abc import Mapping

VARIABLE = "SECONDPOST_CONFIG"
NAME = "secondpost.toml"
SYSTEM_PATH = f"/etc/secondpost/{NAME}"


class ConfigNotFound(Exception):
    """There is no configuration. `looked` says where it was looked for, in order."""

    def __init__(self, looked: tuple[str, ...], reason: str) -> None:
        self.looked = looked
        super().__init__(reason)


def find_config(option: str | None, environment: Mapping[str, str], folder: str) -> str:
    """The path of the file. `option` is what --config said, `folder` where the command was typed.

    A file that was named, by option or variable, must be there: no other is taken in its place.
    """
    if option is not None:
        return _named(os.path.join(folder, option), "--config")
    variable = environment.get(VARIABLE, "")
    if len(variable) > 0:
        return _named(os.path.join(folder, variable), VARIABLE)
    looked = (os.path.join(folder, NAME), SYSTEM_PATH)
    for path in looked:
        if os.path.isfile(path):
            return path
    raise ConfigNotFound(
        looked,
        f"there is no configuration; looked for {' and '.join(looked)}; "
        f"write one (docs/settings.md), or name it with --config or {VARIABLE}",
    )


def _named(path: str, by: str) -> str:
    if not os.path.exists(path):
        raise ConfigNotFound((path,), f"there is no file {path}, which {by} names")
    return path
