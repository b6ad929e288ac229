"""Opens what a command works on: the configuration, and the store as its owner."""

import asyncio
import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from secondpost.cli.command import Ending, Exit, config_option_of
from secondpost.cli.screen import load_what_is_shown_with
from secondpost.config.faults import ConfigFaults
from secondpost.config.finding import ConfigNotFound, find_config
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.processes.user import SystemUser, UserRefused, become, name_of, refuse_open_store
from secondpost.spool.desk import OwnersDesk
from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.world.ports import DiskFailed, FileUnreadable

if TYPE_CHECKING:  # the wiring is loaded late, by those commands alone that need it
    from secondpost.owner.newsletter_desk import OpenNewsletter

T = TypeVar("T")


def configuration_path() -> str:
    """The file that the command line, the environment or the usual places name."""
    option = config_option_of(click.get_current_context())
    try:
        return find_config(option, os.environ, os.getcwd())
    except ConfigNotFound as missing:
        raise Ending(str(missing), Exit.CONFIGURATION) from None


def configuration() -> Config:
    try:
        return read_config(configuration_path())
    except ConfigFaults as faults:
        raise Ending("\n".join(faults.texts()), Exit.CONFIGURATION) from None


def at_desk(work: Callable[[OwnersDesk, Config], Awaitable[T]], config: Config | None = None) -> T:
    """Open the store as its owner, do the work, close it; what is wrong with the store ends the command.

    Give the configuration when something had to be done between reading it and becoming the owner.
    """
    if config is None:
        config = configuration()
    from secondpost.roles.desk import open_desk

    become_owner(config)
    chosen = config

    async def opened() -> T:
        async with open_desk(chosen) as open_:
            return await work(open_, chosen)

    with told_of_the_store(chosen):
        return asyncio.run(opened())


def at_newsletter(work: Callable[["OpenNewsletter"], Awaitable[T]], config: Config) -> T:
    """The same with the store of the newsletters, which a configuration without any does not have."""
    from secondpost.roles.desk import open_newsletter

    become_owner(config)

    async def opened() -> T:
        async with open_newsletter(config) as open_:
            return await work(open_)

    with told_of_the_store(config):
        return asyncio.run(opened())


def at_stores(work: Callable[[OwnersDesk, "OpenNewsletter | None", Config], Awaitable[T]]) -> T:
    """The same with both stores; None where there is no newsletter, and never was one."""
    config = configuration()
    from secondpost.roles.desk import has_newsletter_store, open_desk, open_newsletter

    become_owner(config)
    has_newsletter = len(config.newsletters) > 0 or has_newsletter_store(config)

    async def opened() -> T:
        async with AsyncExitStack() as ends:
            desk = await ends.enter_async_context(open_desk(config))
            if not has_newsletter:
                return await work(desk, None, config)
            newsletter = await ends.enter_async_context(open_newsletter(config))
            return await work(desk, newsletter, config)

    with told_of_the_store(config):
        return asyncio.run(opened())


@contextmanager
def told_of_the_store(config: Config) -> Iterator[None]:
    """What is wrong with the store ends the command, with what to do about it."""
    try:
        yield
    except StoreRefused as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    except StoreUnavailable as unavailable:
        text = f"the store {config.store} is busy or closed ({unavailable}); try again in a moment"
        raise Ending(text, Exit.UNREACHABLE) from None
    except StoreFull as full:
        text = f"the disk of the store {config.store} has no room left ({full}); make some, then try again"
        raise Ending(text, Exit.UNREACHABLE) from None
    except FileUnreadable as unreadable:
        raise Ending(f"{unreadable}; look into the kernel's log", Exit.UNREACHABLE) from None
    except DiskFailed as failed:
        text = f"the disk of the store {config.store} fails: {failed}; look into the kernel's log"
        raise Ending(text, Exit.UNREACHABLE) from None


def become_owner(config: Config) -> None:
    """A file that root makes in the store would stop the service: root becomes the owner first."""
    try:
        store = os.stat(config.store)
    except FileNotFoundError:
        text = f"there is no store at {config.store} yet: start the service, or mend `store` in {config.path}"
        raise Ending(text, Exit.UNREACHABLE) from None
    except PermissionError:
        raise Ending(
            f"the store {config.store} may not be seen by you; {_as('root')}", Exit.UNREACHABLE
        ) from None
    try:
        refuse_open_store(config)
    except UserRefused as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    if store.st_uid == os.geteuid():
        return
    owner = name_of(store.st_uid, f"#{store.st_uid}")  # sudo's own way to write a user by number
    if os.geteuid() != 0:
        raise Ending(f"the store {config.store} belongs to {owner}; {_as(owner)}", Exit.UNREACHABLE)
    load_what_is_shown_with()
    become(SystemUser(owner, store.st_uid, store.st_gid))


def _as(user: str) -> str:
    return f"type: sudo -u {shlex.quote(user)} secondpost {shlex.join(sys.argv[1:])}"
