"""Prints how this server stands with the rules of large providers for bulk mail."""

from collections.abc import Sequence

from secondpost.cli.screen import Column, say, say_table, say_wrapped
from secondpost.setup.bulk_rules import RULES_DATED, RuleAsker, RuleStanding, RuleState
from secondpost.setup.examination import in_words

COLUMNS = (Column("rule", folds=True), Column("asked by", folds=True), Column("here"))


def say_standings(standings: Sequence[RuleStanding], *, verbose: bool) -> None:
    """The table, and below it what was seen of each rule; of kept ones only if `verbose`."""
    if len(standings) == 0:
        return
    say(f"What {in_words(list(RuleAsker))} ask of newsletters (as of {RULES_DATED}):")
    say_table(COLUMNS, [_row(one) for one in standings])
    for one in standings:
        if one.state is not RuleState.KEPT or verbose:
            say_wrapped(one.text, f"{one.rule.word}: ", "  ")
        if one.state is not RuleState.KEPT:
            for number, line in enumerate(one.remedy.splitlines()):
                say(f"  {'do: ' if number == 0 else '    '} {line}")


def _row(one: RuleStanding) -> tuple[str, str, str]:
    return one.rule.text, ", ".join(one.rule.askers), one.state.value
