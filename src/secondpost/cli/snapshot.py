"""secondpost snapshot: save the store while the service runs, and restore it on another machine."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import click

from secondpost.cli.command import JSON, Command, Ending, Exit, Group
from secondpost.cli.opening import become_owner, configuration
from secondpost.cli.screen import local_time, progressed, progressing, say, say_field, say_json
from secondpost.config.records import Config, RecipientFile
from secondpost.mail.size import size_text
from secondpost.mail.snapshot import Manifest, SnapshotFault
from secondpost.owner.figures import counted
from secondpost.processes.user import UserRefused, is_divided, prepare_store, service_user
from secondpost.world.ports import DiskFailed

if TYPE_CHECKING:
    from secondpost.roles.snapshot import NamedFiles

NAMED_OCTETS_MAX = 64 * 1024 * 1024  # of a file that the configuration names

PLACES = {
    "accept": "secondpost.cli.snapshot_accept",
    "hold": "secondpost.cli.snapshot_accept",
}


@click.group(cls=Group, places=PLACES)
def snapshot() -> None:
    """Save the store and the configuration, restore them, and accept a store that is a copy."""


@contextmanager
def snapshot_faults_shown(path: str) -> Iterator[None]:
    """End the command with what is wrong with a snapshot, or with the disk that takes it."""
    from secondpost.store.ports import StoreRefused

    try:
        yield
    except BrokenPipeError:
        raise
    except (SnapshotFault, StoreRefused) as fault:
        raise Ending(str(fault), Exit.NO) from None
    except OSError as error:
        where = path if error.filename is None else error.filename
        raise Ending(f"{where}: {error.strerror}; nothing incomplete was left", Exit.NO) from None
    finally:
        progressed()


def _progress(done: int, total: int) -> None:
    progressing(f"{size_text(done)} of {size_text(total)}")


@snapshot.command("save", cls=Command)
@click.argument("path", metavar="FILE")
@click.option(
    "--temporary",
    metavar="FOLDER",
    help="Where the databases are copied first: the folder of FILE, or /var/tmp.",
)
@JSON
def save(path: str, temporary: str | None, as_json: bool) -> None:
    """Save the store, its keys and the configuration in one file, while the service runs or not.

    In a folder the file is named after the host and the time; - writes to standard output. The file holds
    mail, readers and private keys: only its owner may read it.
    """
    from secondpost.roles.snapshot import NamedFiles

    if path == "-" and as_json:
        raise click.UsageError("Standard output takes the snapshot: give a file.")
    config = configuration()
    named = NamedFiles(config.text, *_named_files(config))
    path = "-" if path == "-" else os.path.abspath(path)
    become_owner(config)
    with snapshot_faults_shown(path):
        if path == "-":
            _save_to(sys.stdout.buffer, config, named, temporary)
            return
        if os.path.isdir(path):
            path = os.path.join(path, _name_of(config))
        manifest = _save_in(path, config, named, temporary)
    if as_json:
        from secondpost.owner.snapshot_documents import snapshot_document

        say_json(snapshot_document(path, manifest))
    else:
        say(
            f"Saved {counted(len(manifest.files), 'file', 'files')}, {size_text(manifest.octets)}, in {path}."
        )


def _named_files(config: Config) -> tuple[dict[str, bytes], frozenset[str]]:
    """The files that the configuration names, and which of them are secrets; those that are missing
    are left out.
    """
    secrets = [config.tls.key, *(route.password_file for route in config.routes)]
    lists = [
        source.path
        for backup in config.backups
        for source in backup.recipients
        if isinstance(source, RecipientFile)
    ]
    found: dict[str, bytes] = {}
    for path in (config.tls.certificate, *secrets, *lists):
        if path is not None and os.path.isfile(path):
            with open(path, "rb") as file:
                found[os.path.abspath(path)] = file.read(NAMED_OCTETS_MAX)
    return found, frozenset(os.path.abspath(path) for path in secrets if path is not None)


def _name_of(config: Config) -> str:
    from secondpost.world.real.clock import RealClock

    moment = local_time(RealClock().now_ms())
    return f"secondpost-{config.hostname}-{moment[:10]}-{moment[11:].replace(':', '')}.tar"


def _save_in(path: str, config: Config, named: "NamedFiles", temporary: str | None) -> Manifest:
    from secondpost.world.real.snapshot_writer import NewSnapshotFile

    folder = os.path.dirname(path)
    if not os.access(folder, os.W_OK):
        raise Ending(
            f"{folder} cannot be written by the store's owner; let the shell write the file: "
            f"secondpost snapshot save - > {os.path.basename(path)}",
            Exit.NO,
        )
    try:
        new = NewSnapshotFile(path)
    except FileExistsError:
        raise Ending(f"{path} already exists: choose another name", Exit.NO) from None
    try:
        manifest = _save_to(new.file, config, named, temporary or folder, in_folder=folder)
        new.finish()
    except BaseException:
        new.remove()
        raise
    return manifest


def _save_to(
    to: BinaryIO, config: Config, named: "NamedFiles", temporary: str | None, in_folder: str | None = None
) -> Manifest:
    from secondpost.roles.snapshot import SnapshotSaving, need_room

    saving = SnapshotSaving(config, named, temporary or os.environ.get("TMPDIR", "/var/tmp"), _progress)
    if in_folder is not None:
        need_room(in_folder, saving.octets())
    return asyncio.run(saving.save(to))


@snapshot.command("show", cls=Command)
@click.argument("path", metavar="FILE")
@JSON
def show(path: str, as_json: bool) -> None:
    """Show of which store and when a snapshot was made, and what it holds."""
    from secondpost.world.real.snapshot_reader import read_manifest

    with snapshot_faults_shown(path):
        manifest = read_manifest(path)
    _say_manifest(path, manifest, as_json)


@snapshot.command("verify", cls=Command)
@click.argument("path", metavar="FILE")
@JSON
def verify(path: str, as_json: bool) -> None:
    """Read a whole snapshot: compare every checksum, and examine its databases."""
    from secondpost.roles.snapshot_restore import verified

    with snapshot_faults_shown(path):
        manifest = verified(path, _progress)
    _say_manifest(path, manifest, as_json)
    if not as_json:
        say("It is whole: every checksum fits, and the databases are sound.")


def _say_manifest(path: str, manifest: Manifest, as_json: bool) -> None:
    if as_json:
        from secondpost.owner.snapshot_documents import snapshot_document

        say_json(snapshot_document(path, manifest))
        return
    say_field("host", manifest.hostname)
    say_field("made", f"{local_time(manifest.made_ms)}, by Secondpost {manifest.version}")
    say_field("store", manifest.store)
    for database, counts in manifest.counts.items():
        found = ", ".join(f"{count:,} in {table}" for table, count in counts.items())
        say_field("rows", f"{database}: {found}")
    secret = sum(file.is_secret for file in manifest.files)
    files = counted(len(manifest.files), "file", "files")
    say_field("files", f"{files}, {size_text(manifest.octets)}; {secret} of them secret")


def _make_store(config: Config) -> None:
    """Make the store's folder for the user of the service, unless it is there."""
    try:
        if not is_divided(config.store):
            prepare_store(config, service_user(config))
    except (UserRefused, DiskFailed) as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None


@snapshot.command("restore", cls=Command)
@click.argument("path", metavar="FILE")
@click.option("--store", metavar="FOLDER", help="The empty store, if not the one of the configuration.")
@click.option(
    "--configuration",
    "folder",
    metavar="FOLDER",
    help="A new folder for the configuration and the files that it names.",
)
@JSON
def restore(path: str, store: str | None, folder: str | None, as_json: bool) -> None:
    """Put a snapshot into an empty store; it is verified first.

    The restored store is a copy: the service receives mail, and sends nothing of what may have been sent
    since the snapshot, until you type `secondpost snapshot accept`.
    """
    from secondpost.roles.snapshot_restore import Restoring, need_empty, verified

    config = configuration() if store is None else None
    into = config.store if config is not None else str(store)
    with snapshot_faults_shown(path):
        need_empty(into)
        manifest = verified(path, _progress)
        if config is not None:
            _make_store(config)
        Restoring(into, folder, _progress).restore(path, manifest)
    if as_json:
        from secondpost.owner.snapshot_documents import snapshot_document

        say_json(snapshot_document(path, manifest))
        return
    say(f"Restored {counted(len(manifest.files), 'file', 'files')}, {size_text(manifest.octets)}, in {into}.")
    for file in manifest.files if folder is not None else ():
        if len(file.path) > 0:
            say(f"In {folder} is what was {file.path}.")
    if folder is None:
        say("The configuration was left in the snapshot: --configuration FOLDER takes it out.")
    say("This store is a copy: start the service, then type `secondpost snapshot accept`.")
