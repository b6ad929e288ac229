"""Opens what a command works on: the configuration, and the store as its owner."""

import asyncio
import os
import pwd
import shlex
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from secondpost.cli.command import Ending, Exit, config_option_of
from secondpost.config.finding import find_config
from secondpost.config.reading import ConfigFaults, read_config
from secondpost.config.records import Config

T = TypeVar("T")


def configuration() -> Config:
    """The configuration that the command line, the environment or the usual places name."""
    option = config_option_of(click.get_current_context())
    try:
        return read_config(find_config(option))
    except ConfigFaults as faults:
        raise Ending(str(faults), Exit.CONFIGURATION) from None
