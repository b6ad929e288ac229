"""Locate the configuration file: the one named, else the first that exists."""

import os
from collections.abc import Mapping

from secondpost.config.faults import ConfigFaults, Fault

CONFIG_VARIABLE = "SECONDPOST_CONFIG"
NAME = "secondpost.toml"
SYSTEM_PATH = f"/etc/secondpost/{NAME}"


class ConfigNotFound(ConfigFaults):
    """There is no configuration. `looked` lists the paths tried, in order."""

    def __init__(self, looked: tuple[str, ...], reason: str, hint: str) -> None:
        self.looked = looked
        super().__init__(looked[0], (Fault("", 0, reason, hint),))


def find_config(
    option: str | None,
    environment: Mapping[str, str] | None = None,
    folder: str | None = None,
    system_path: str = SYSTEM_PATH,
) -> str:
    """The path of the configuration. `option` is the value of --config; the rest defaults to this
    process's own.

    A file that was named, by option or variable, must exist: no other is taken instead.
    """
    variable = (os.environ if environment is None else environment).get(CONFIG_VARIABLE, "")
    here = os.getcwd() if folder is None else folder
    if option is not None:
        return _named(os.path.join(here, option), "--config")
    if len(variable) > 0:
        return _named(os.path.join(here, variable), CONFIG_VARIABLE)
    looked = (os.path.join(here, NAME), system_path)
    for path in looked:
        if os.path.isfile(path):
            return path
    hint = f"type secondpost init to write one, or name it with --config or in {CONFIG_VARIABLE}"
    raise ConfigNotFound(looked, f"there is no configuration here, and none in {system_path}", hint)


def _named(path: str, by: str) -> str:
    if not os.path.exists(path):
        raise ConfigNotFound((path,), f"there is no such file; {by} names it", "correct the path")
    return path
