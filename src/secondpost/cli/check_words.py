"""Prints what `secondpost check` found: the worst first, each with its reason and its remedy."""

from collections.abc import Sequence

import click

from secondpost.cli.bulk_words import say_standings
from secondpost.cli.command import Exit
from secondpost.cli.screen import say, say_json
from secondpost.owner.check_documents import check_document
from secondpost.owner.figures import counted
from secondpost.setup.bulk_rules import RuleStanding, has_broken
from secondpost.setup.diagnosis import Check, Diagnosis, Grade, has_fault, worst_first

PLURAL = {Grade.FAULT: "faults", Grade.WARNING: "warnings", Grade.NOTE: "notes"}
NEEDS_SOMETHING = (Grade.FAULT, Grade.WARNING)
ALL_IS_WELL = "Everything that can be seen from here is right. The second post office is in good order."
VERBOSE = click.option(
    "--verbose", "-v", is_flag=True, help="Show what is well too, and what to do about notes."
)


def show(
    path: str,
    diagnoses: Sequence[Diagnosis],
    *,
    as_json: bool,
    verbose: bool,
    standings: Sequence[RuleStanding] = (),
) -> None:
    """Print all results; exit code 1 if there is a fault, or a rule is not kept. `path`: of the
    configuration.
    """
    if as_json:
        say_json(check_document(path, diagnoses, standings))
    else:
        say_diagnoses(path, diagnoses, verbose=verbose)
        say_standings(standings, verbose=verbose)
    if has_fault(diagnoses) or has_broken(standings):
        click.get_current_context().exit(Exit.NO)


def say_diagnoses(
    path: str, diagnoses: Sequence[Diagnosis], *, verbose: bool, explains_notes: bool = False
) -> None:
    """`verbose`: with what is well, and with the remedies of notes, as `explains_notes` alone."""
    explains_notes = explains_notes or verbose
    explained: set[Check] = set()
    for one in worst_first(diagnoses):
        if one.grade is not Grade.WELL or verbose:
            say(f"{one.grade}: {_about(one)}{one.text} ({one.check.word})")
        if one.grade in NEEDS_SOMETHING or (one.grade is Grade.NOTE and explains_notes):
            _say_why(one, one.check not in explained)
            explained.add(one.check)
    well = sum(one.grade is Grade.WELL for one in diagnoses)
    if not any(one.grade in NEEDS_SOMETHING for one in diagnoses):
        say(ALL_IS_WELL)
    say(f"{path}: {_count(diagnoses)}; {counted(well, 'check is', 'checks are')} well.")


def _say_why(one: Diagnosis, is_first: bool) -> None:
    """Why it matters, once for each check, and what to do."""
    if is_first:
        say(f"  why: {one.check.why}")
    for number, line in enumerate(one.remedy.splitlines()):
        say(f"  {'do: ' if number == 0 else '    '} {line}")


def _about(one: Diagnosis) -> str:
    """The subject, unless the sentence names it."""
    return f"{one.subject}: " if len(one.subject) > 0 and one.subject not in one.text else ""


def _count(diagnoses: Sequence[Diagnosis]) -> str:
    numbers = {grade: sum(one.grade is grade for one in diagnoses) for grade in PLURAL}
    texts = [
        counted(number, grade.value, PLURAL[grade])
        for grade, number in numbers.items()
        if number > 0 and grade is not Grade.FAULT
    ]
    faults = numbers[Grade.FAULT]
    return ", ".join(["no faults" if faults == 0 else counted(faults, "fault", "faults"), *texts])
