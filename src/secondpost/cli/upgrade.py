"""secondpost upgrade: take another version while it serves, rehearse one, migrate the store, go back."""

import os

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.leading import YES, ask
from secondpost.cli.opening import become_owner, configuration, configuration_path, store_faults_shown
from secondpost.cli.screen import progressed, progressing, say, say_json
from secondpost.cli.upgrade_words import say_rehearsal, say_way, say_went
from secondpost.config.faults import ConfigFaults
from secondpost.config.reading import read_config
from secondpost.config.records import Config

WAYS = ("from", "finish", "check", "migrate", "back")


@click.command(cls=Command)
@click.option(
    "--from",
    "file",
    metavar="FILE",
    type=click.Path(),
    help="Install this wheel or Debian package, and have the service take it.",
)
@click.option(
    "--wheels", metavar="FOLDER", type=click.Path(), help="With --from: take all libraries from this folder."
)
@click.option("--older", is_flag=True, help="With --from: also a version that is older, or the same.")
@click.option("--dry-run", is_flag=True, help="With --from: install and rehearse it, and stop there.")
@click.option("--finish", is_flag=True, help="Finish or take back an upgrade that was cut short.")
@click.option(
    "--check", is_flag=True, help="Try this version on a copy of the store, and say what would fail."
)
@click.option("--room", metavar="FOLDER", help="With --check: where the copy goes; else TMPDIR, or /var/tmp.")
@click.option("--migrate", is_flag=True, help="Bring the store up to date now; a start does it as well.")
@click.option("--without-copy", is_flag=True, help="With --migrate: keep no copy of the store first.")
@click.option("--back", is_flag=True, help="Take the store back to an older version's schema.")
@click.option(
    "--to", metavar="SCHEMA", type=click.IntRange(1), help="With --back: the older version's schema."
)
@YES
@JSON
@click.pass_context
def upgrade(
    context: click.Context,
    file: str | None,
    wheels: str | None,
    older: bool,
    dry_run: bool,
    finish: bool,
    check: bool,
    room: str | None,
    migrate: bool,
    without_copy: bool,
    back: bool,
    to: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Upgrade Secondpost while it serves, rehearse a version, or go back to an older one.

    --from installs the new version beside the running one and rehearses it. Then the service takes it with
    its ports open: no connection is refused. If `check all` finds new faults, or a role does not serve, the
    former version takes over again. --check belongs to the new version, and may run while the old one
    serves: it touches nothing. --migrate and --back need the service to be stopped.
    """
    given = (file is not None, finish, check, migrate, back)
    chosen = [way for way, is_chosen in zip(WAYS, given, strict=True) if is_chosen]
    if len(chosen) != 1:
        raise click.UsageError("Use one of --from, --finish, --check, --migrate and --back.")
    for option, is_given, way in (
        ("--wheels", wheels is not None, "from"),
        ("--older", older, "from"),
        ("--dry-run", dry_run, "from"),
        ("--room", room is not None, "check"),
        ("--without-copy", without_copy, "migrate"),
        ("--to", to is not None, "back"),
    ):
        if is_given and chosen != [way]:
            raise click.UsageError(f"{option} goes with --{way}.")
    if file is not None:
        context.exit(_from(file, wheels, is_older_allowed=older, is_dry_run=dry_run, as_json=as_json))
    match chosen:
        case ["finish"]:
            context.exit(_finish())
        case ["check"]:
            context.exit(_check(room, as_json))
        case ["migrate"]:
            _migrate(configuration(), keeps_copy=not without_copy, as_json=as_json)
        case _:
            _back(configuration(), to, yes, as_json)


def _from(file: str, wheels: str | None, *, is_older_allowed: bool, is_dry_run: bool, as_json: bool) -> Exit:
    from secondpost.cli.upgrade_from import UpgradeOptions, upgrade_from
    from secondpost.cli.upgrade_package import is_package, upgrade_package

    if is_package(file):
        if wheels is not None:
            raise click.UsageError("--wheels goes with a wheel: a Debian package has its libraries inside.")
        return upgrade_package(
            configuration(),
            file,
            is_older_allowed=is_older_allowed,
            is_dry_run=is_dry_run,
            as_json=as_json,
            tell=(lambda text: None) if as_json else say,
        )
    return upgrade_from(UpgradeOptions(file, wheels, is_older_allowed, is_dry_run, as_json))


def _finish() -> Exit:
    from secondpost.cli.upgrade_from import finish_upgrade
    from secondpost.cli.upgrade_package import finish_package
    from secondpost.roles.installation import InstalledAs, this_installation

    if this_installation().installed_as is InstalledAs.DEBIAN:
        return finish_package(say)
    return finish_upgrade()


def _check(room: str | None, as_json: bool) -> Exit:
    from secondpost.roles.rehearsal import Rehearsing, configuration_refused, look_at_certificate

    path = configuration_path()
    folder = os.path.abspath(room or os.environ.get("TMPDIR", "/var/tmp"))
    try:
        config = read_config(path)
    except ConfigFaults as faults:
        found = configuration_refused(path, faults)
    else:
        certificate = look_at_certificate(config)
        become_owner(config, moves=False)
        try:
            found = Rehearsing(config, certificate, folder, progressing).rehearse()
        finally:
            progressed()
    if as_json:
        say_json(found)
    else:
        say_rehearsal(found)
    return Exit.DONE if found.ready else Exit.NO


def _migrate(config: Config, *, keeps_copy: bool, as_json: bool) -> None:
    from secondpost.owner.upgrade_documents import MigratedDocument, migrated_document
    from secondpost.processes.held_store import take_store_back
    from secondpost.processes.instance import SecondInstance
    from secondpost.processes.migrating import migrate_store
    from secondpost.world.ports import DiskFull

    become_owner(config)
    try:
        with store_faults_shown(config):
            take_store_back(config)
            migrated = migrate_store(config, keeps_copy=keeps_copy, say=progressing)
    except (SecondInstance, DiskFull) as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    finally:
        progressed()
    documents = [
        migrated_document(each.database.file_name, each.old_schema, each.schema, each.kept)
        for each in migrated
    ]
    if as_json:
        say_json(MigratedDocument(documents))
        return
    if len(migrated) == 0:
        say("The store is up to date.")
    for one in documents:
        copy = "no copy was kept" if one.copy is None else f"as it was it lies in {one.copy}"
        say(f"{one.database} went from schema {one.old_schema} to {one.schema}; {copy}.")


def _back(config: Config, to: int | None, yes: bool, as_json: bool) -> None:
    from secondpost.owner.upgrade_documents import BackDocument
    from secondpost.processes.going_back import go_back, way_document, ways_back, went_document
    from secondpost.processes.instance import SecondInstance
    from secondpost.world.ports import DiskFull

    become_owner(config)
    try:
        with store_faults_shown(config):
            ways = ways_back(config, to)
            if len(ways) > 0 and not yes:
                for way in ways:
                    say_way(way_document(way))
                ask("Take the store back?", "add --yes to confirm")
            went = [went_document(one) for one in go_back(config, ways, progressing)]
    except (SecondInstance, DiskFull) as refused:
        raise Ending(str(refused), Exit.UNREACHABLE) from None
    finally:
        progressed()
    if as_json:
        say_json(BackDocument(went))
        return
    say_went(went)
