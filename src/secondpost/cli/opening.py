"""Open what a command works on: the configuration, and the store as its owner."""

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
from secondpost.processes.instance import SecondInstance
from secondpost.processes.user import (
    SystemUser,
    UserRefused,
    become,
    commands_user,
    is_divided,
    keep_from_others,
    name_of,
    refuse_open_store,
    service_user,
)
from secondpost.spool.desk import OwnersDesk
from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.world.ports import DiskFailed, DiskFull, FileUnreadable

if TYPE_CHECKING:  # the roles are imported only by commands that need them
    from secondpost.owner.newsletter_desk import OpenNewsletter

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

T = TypeVar("T")


def configuration_path() -> str:
    """The configuration file named by the command line, the environment or the default paths."""
    option = config_option_of(click.get_current_context())
    try:
        return find_config(option, os.environ, os.getcwd())
    except ConfigNotFound as missing:
        raise Ending(str(missing), Exit.CONFIGURATION) from None


def configuration(role: str | None = None) -> Config:
    """As `role` alone it is read without the files of the others."""
    try:
        return read_config(configuration_path(), role)
    except ConfigFaults as faults:
        raise Ending("\n".join(faults.texts()), Exit.CONFIGURATION) from None


def configuration_if_any() -> Config | None:
    """None if no file was named and there is none in the usual places."""
    try:
        find_config(config_option_of(click.get_current_context()), os.environ, os.getcwd())
    except ConfigNotFound as missing:
        if len(missing.looked) > 1:
            return None
    return configuration()


def at_desk(work: Callable[[OwnersDesk, Config], Awaitable[T]], config: Config | None = None) -> T:
    """Open the mail store as its owner, do the work and close it; a fault of the store ends the
    command.

    Pass the configuration if it was read before, to do something while still root.
    """
    if config is None:
        config = configuration()
    from secondpost.roles.desk import open_desk

    become_owner(config)
    chosen = config

    async def opened() -> T:
        async with open_desk(chosen) as open_:
            return await work(open_, chosen)

    with store_faults_shown(chosen):
        return asyncio.run(opened())


def at_newsletter(work: Callable[["OpenNewsletter"], Awaitable[T]], config: Config) -> T:
    """Open the newsletter store as its owner, do the work and close it; as `at_desk`."""
    from secondpost.roles.desk import open_newsletter

    become_owner(config)

    async def opened() -> T:
        async with open_newsletter(config) as open_:
            return await work(open_)

    with store_faults_shown(config):
        return asyncio.run(opened())


def at_stores(work: Callable[[OwnersDesk, "OpenNewsletter | None", Config], Awaitable[T]]) -> T:
    """Open both stores, as `at_desk`; the second is None if there never was a newsletter."""
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

    with store_faults_shown(config):
        return asyncio.run(opened())


@contextmanager
def store_faults_shown(config: Config) -> Iterator[None]:
    """End the command with the remedy when the store reports a fault."""
    try:
        yield
    except StoreRefused as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    except StoreUnavailable as unavailable:
        text = f"the store {config.store} is busy or closed ({unavailable}); try again in a moment"
        raise Ending(text, Exit.UNREACHABLE) from None
    except StoreFull as full:
        text = f"the disk of the store {config.store} is full ({full}); free some space, then try again"
        raise Ending(text, Exit.UNREACHABLE) from None
    except FileUnreadable as unreadable:
        raise Ending(f"{unreadable}; look into the kernel's log", Exit.UNREACHABLE) from None
    except DiskFailed as failed:
        text = f"the disk of the store {config.store} fails: {failed}; look into the kernel's log"
        raise Ending(text, Exit.UNREACHABLE) from None


@contextmanager
def write_faults_shown(path: str) -> Iterator[None]:
    """End the command with the path if what it writes there cannot be written."""
    try:
        yield
    except BrokenPipeError:
        raise  # `head` has read enough: click ends the command without a word
    except OSError as error:
        raise Ending(f"{path} cannot be written: {error.strerror}", Exit.NO) from None


def become_owner(config: Config, *, moves: bool = True) -> None:
    """Root becomes the store's user first: files made by root would stop the service. A store of an older
    version is moved into its rooms if `moves`.
    """
    try:
        store = os.stat(config.store)
    except FileNotFoundError:
        text = (
            f"there is no store at {config.store} yet: start the service, or change `store` in {config.path}"
        )
        raise Ending(text, Exit.UNREACHABLE) from None
    except PermissionError:
        raise Ending(
            f"the store {config.store} cannot be opened by you; {_as_root()}", Exit.UNREACHABLE
        ) from None
    try:
        refuse_open_store(config)
    except UserRefused as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    if is_divided(config.store):
        _become_commands_user(config)
        return
    from secondpost.processes.moving import move_flat_store  # as root: the owner may not read modules

    _become_only_user(config, store)
    if not moves:
        return
    with store_faults_shown(config):
        _move_in(config, move_flat_store)


def _become_commands_user(config: Config) -> None:
    try:
        person = commands_user(config)
    except UserRefused as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    if os.geteuid() not in (0, person.uid):
        text = f"the store {config.store} is for commands of {person.name}; {_as_root()}"
        raise Ending(text, Exit.UNREACHABLE)
    if os.geteuid() == 0:
        _become(person)
    keep_from_others()


def _move_in(config: Config, move_flat_store: Callable[[Config], bool]) -> None:
    """Move a store of an older version into its rooms, before it is opened."""
    try:
        is_moved = move_flat_store(config)
    except (UserRefused, SecondInstance, DiskFull) as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    if is_moved:
        click.echo(f"note: The files of the store {config.store} were moved into its new folders.", err=True)


def _become_only_user(config: Config, store: os.stat_result) -> None:
    if store.st_uid == os.geteuid():
        return
    owner = name_of(store.st_uid, f"#{store.st_uid}")
    if os.geteuid() != 0:
        raise Ending(f"the store {config.store} belongs to {owner}; {_as_root()}", Exit.UNREACHABLE)
    _become(SystemUser(owner, store.st_uid, store.st_gid))


def _become(person: SystemUser) -> None:
    load_what_is_shown_with()
    become(person)
    if not os.access(PACKAGE, os.R_OK | os.X_OK):
        text = f"{person.name}, to whom the store belongs, cannot read {PACKAGE}"
        fix = "install Secondpost where every user may read it, such as /opt/secondpost"
        raise Ending(f"{text}; {fix}", Exit.UNREACHABLE)


def user_of(config: Config) -> str:
    """The name of the user that runs the service: who owns the store, or will own it; of commands on a
    divided store.
    """
    if is_divided(config.store):
        return config.user
    try:
        uid = os.stat(config.store).st_uid
    except OSError:
        try:
            user = service_user(config)
        except UserRefused:
            return config.user
        uid = os.geteuid() if user is None else user.uid
    return name_of(uid, f"#{uid}")


def _as_root() -> str:
    """The same command for root, who becomes the store's owner."""
    return f"type as root: secondpost {shlex.join(sys.argv[1:])}"
