"""What `secondpost init` says of its results."""

from collections.abc import Sequence

from secondpost.cli.init_file import CHANGED, NEW
from secondpost.cli.init_records import say_records
from secondpost.cli.screen import say, say_wrapped
from secondpost.config.records import Config
from secondpost.owner.figures import counted
from secondpost.setup.bulk_rules import RuleAsker
from secondpost.setup.examination import in_words
from secondpost.setup.next_steps import NextStep, SetUp
from secondpost.setup.proxies import Snippet

COMMAND_CHARACTERS = 50  # a longer command does not widen the column


def say_result(result: SetUp) -> None:
    say("")
    _say_file(result)
    if len(result.keys) > 0:
        made = counted(len(result.keys), "key", "keys")
        say(f"Made {made} in {result.config.store}/keys.")
    say_records(result.records)
    if result.proxy is not None:
        _say_proxy(result.proxy)


def _say_file(result: SetUp) -> None:
    path = result.config.path
    if result.state == NEW:
        say(f"Wrote {path}.")
    elif result.state == CHANGED:
        say(f"Wrote {path}; the earlier one is {result.kept}.")
    else:
        say(f"{path} stays as it is: nothing would change.")


def _say_proxy(proxy: Snippet) -> None:
    say("")
    none = f", and none runs here; type: {proxy.install}" if len(proxy.install) > 0 else ""
    say(f"The pages need a web server in front{none}")
    say(f"Put this into {proxy.path}:")
    say("")
    say("\n".join(f"    {line}" for line in proxy.text.splitlines()))
    say("")
    say(f"Then type: {proxy.reload}")


def say_next(steps: Sequence[NextStep]) -> None:
    say("")
    say("Next, type:")
    lengths = [len(step.command) for step in steps]
    width = max((length for length in lengths if length <= COMMAND_CHARACTERS), default=0)
    for step in steps:
        say(f"    {step.command:<{width}}  # {step.why}")


def say_duties(config: Config) -> None:
    """What an issue waits for, and where large providers' rules are shown; nothing without a newsletter."""
    if len(config.newsletters) == 0 or config.send.unverified:
        return
    say("")
    pages = "" if config.web.url is None else f", and readers can unsubscribe at {config.web.url}"
    say_wrapped(f"No issue goes out before these records are visible{pages}.")
    say_wrapped(
        f"What {in_words(list(RuleAsker))} ask of newsletters, and how you stand: secondpost check dns"
    )
