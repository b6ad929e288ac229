"""What `secondpost init` says of its results."""

from collections.abc import Sequence

from secondpost.cli.init_file import FileState, Written
from secondpost.cli.screen import say
from secondpost.config.records import Config
from secondpost.owner.figures import counted
from secondpost.setup.next_steps import NextStep
from secondpost.setup.proxies import Snippet

COMMAND_CHARACTERS = 50  # a longer command does not widen the column


def say_file(path: str, written: Written) -> None:
    say("")
    match written.state:
        case FileState.NEW:
            say(f"Wrote {path}.")
        case FileState.CHANGED:
            say(f"Wrote {path}; the earlier one is {written.kept}.")
        case FileState.UNCHANGED:
            say(f"{path} stays as it is: nothing would change.")


def say_keys(config: Config, made: Sequence[str]) -> None:
    if len(made) > 0:
        say(f"Made {counted(len(made), 'key', 'keys')} in {config.store}/keys.")


def say_proxy(before: Snippet | None) -> None:
    if before is None:
        return
    say("")
    say(f"The pages need a web server in front. Put this into {before.path}:")
    say("")
    say("\n".join(f"    {line}" for line in before.text.splitlines()))
    say("")
    say(f"Then type: {before.reload}")


def say_next(steps: Sequence[NextStep]) -> None:
    say("")
    say("Next, type:")
    lengths = [len(step.command) for step in steps]
    width = max((length for length in lengths if length <= COMMAND_CHARACTERS), default=0)
    for step in steps:
        say(f"    {step.command:<{width}}  # {step.why}")
