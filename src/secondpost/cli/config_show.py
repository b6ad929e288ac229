"""secondpost config show: the configuration as it was read, with all defaults if asked for."""

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.opening import configuration_path
from secondpost.cli.screen import say, say_json
from secondpost.config.faults import ConfigFaults
from secondpost.config.reading import read_config
from secondpost.owner.setting_documents import ShowDocument, ValueDocument
from secondpost.setup.effective import EffectiveValue, ValueOrigin, as_read, effective, toml_lines
from secondpost.setup.settings_here import file_settings


@click.command("show", cls=Command)
@click.option("--effective", "with_defaults", is_flag=True, help="With every key that has a default.")
@JSON
def show(with_defaults: bool, as_json: bool) -> None:
    """Show the configuration as it is understood.

    The output is a configuration itself. With --effective it says every key, and which are defaults. Values
    that work like passwords are left out.
    """
    try:
        config = read_config(configuration_path(), are_files_checked=False)
    except ConfigFaults as faults:
        raise Ending("\n".join(faults.texts()), Exit.CONFIGURATION) from None
    settings = file_settings(config.text)
    if settings is None:
        raise Ending(f"{config.path} cannot be shown: type secondpost check config", Exit.CONFIGURATION)
    values = effective(config, settings) if with_defaults else as_read(settings)
    if as_json:
        documents = [value_document(one) for one in values]
        say_json(ShowDocument(config.path, with_defaults, documents))
        return
    for line in toml_lines(values):
        say(line)


def value_document(one: EffectiveValue) -> ValueDocument:
    is_shown = one.origin is not ValueOrigin.SECRET
    value = one.value if is_shown else None
    return ValueDocument(one.table, one.name, one.number, value, one.line, one.origin.value)
