"""Holds the interview of `secondpost init`: answers come from its flags, and on a terminal from typing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import click

from secondpost.cli.command import Ending, Exit
from secondpost.cli.init_flags import ANSWER_FLAGS
from secondpost.cli.screen import progressed, progressing, say
from secondpost.config.faults import Fault
from secondpost.mail.address import Endpoint
from secondpost.mail.printable import printable
from secondpost.roles.first_look import FirstLook
from secondpost.setup.answers import Answers
from secondpost.setup.interview import interview
from secondpost.setup.questions import (
    NONE,
    InterviewStep,
    LookedUp,
    LookUp,
    Note,
    OwnerQuestion,
    Reach,
    Scene,
    Texts,
)

NOTHING_WRITTEN = "nothing was written"


@dataclass(slots=True)
class Dialogue:
    """`asks`: on a terminal; otherwise suggestions are taken, and what is missing ends the command."""

    given: Mapping[str, Texts]
    look: FirstLook
    asks: bool
    takes_suggestions: bool  # on a terminal too, whatever has one is not asked
    says: bool = True  # notes are printed
    notes: list[Note] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    lacking: list[str] = field(default_factory=list)  # what a usage error has to name

    def hold(self, scene: Scene) -> Answers:
        """Raises click.UsageError for answers that are missing or wrong, and Ending when it is left."""
        going = interview(scene)
        try:
            step: InterviewStep = next(going)
            while True:
                match step:
                    case OwnerQuestion():
                        step = going.send(self._answered(step))
                    case LookUp():
                        step = going.send(self._looked_up(step))
                    case Reach():
                        step = going.send(self._reached(step))
                    case Note():
                        self._noted(step)
                        step = going.send(())
        except StopIteration as stop:
            answers: Answers = stop.value
        except (click.Abort, KeyboardInterrupt):
            click.echo(err=True)
            raise Ending(NOTHING_WRITTEN, Exit.NO) from None
        self._refuse_idle_flags()
        self._refuse_lacking()
        if not self.asks:  # before, they would stand in front of an error
            for note in self.notes:
                self._say_note(note)
        return answers

    def _answered(self, question: OwnerQuestion) -> Texts:
        self.used.add(question.flag)
        if question.flag in self.given:
            return self._from_flag(question, self.given[question.flag])
        is_silent = not self.asks or self.takes_suggestions or not question.is_asked
        if is_silent and question.suggestion is not None and len(question.faults(question.suggestion)) == 0:
            return question.suggestion
        return self._typed(question) if self.asks else self._lacks(question)

    def _from_flag(self, question: OwnerQuestion, texts: Texts) -> Texts:
        if texts == (NONE,) and question.can_be_empty:
            return ()
        faults = question.faults(texts)
        if len(faults) == 0:
            return texts
        wrong = f"{question.flag}: {'; '.join(map(fault_text, faults))}"
        if self.asks:
            say(wrong)
            return self._typed(question)
        self.lacking.append(wrong)
        return self._stand_in(question)

    def _lacks(self, question: OwnerQuestion) -> Texts:
        faults = question.faults(() if question.suggestion is None else question.suggestion)
        reasons = "; ".join(map(fault_text, faults))
        self.lacking.append(f"{question.flag} is missing: {reasons} (such as {question.example})")
        return self._stand_in(question)

    def _stand_in(self, question: OwnerQuestion) -> Texts:
        """An answer with which the interview goes on, so that everything lacking is named at once."""
        texts = (question.example,)
        if len(question.faults(texts)) > 0:
            self._refuse_lacking()
        return texts

    def _typed(self, question: OwnerQuestion) -> Texts:
        click.echo()
        if len(question.about) > 0:
            click.secho(printable(question.about), dim=True)
        usual = question.suggestion
        shown = "" if usual is None or len(usual) == 0 else f" [{printable(' '.join(usual))}]"
        while True:
            typed: str = click.prompt(f"{question.text}{shown}", default="", show_default=False)
            blank = len(typed.strip()) == 0
            texts = usual if blank and usual is not None else question.parts(typed)
            faults = question.faults(texts)
            if len(faults) == 0:
                return texts
            for fault in faults:
                say(f"  {fault_text(fault)}")
            if blank and usual is None:
                example = printable(question.example)
                say(f"  Type one, such as {example}; Ctrl-C leaves, and nothing is written.")
            if shown != "" and question.can_be_empty:
                say(f"  Type {NONE} to leave it empty.")

    def _looked_up(self, step: LookUp) -> tuple[LookedUp, ...]:
        self._progress("Looking into the DNS …")
        try:
            return self.look.look_up(step)
        finally:
            progressed()

    def _reached(self, step: Reach) -> frozenset[Endpoint]:
        self._progress("Trying to reach other mail servers …")
        try:
            return self.look.reach(step)
        finally:
            progressed()

    def _progress(self, text: str) -> None:
        if self.says:
            progressing(text)

    def _noted(self, note: Note) -> None:
        self.notes.append(note)
        if self.asks:
            self._say_note(note)

    def _say_note(self, note: Note) -> None:
        if self.says:
            say(f"{'warning: ' if note.is_warning else ''}{note.text}")

    def _refuse_idle_flags(self) -> None:
        """Refuse flags that answer no question, each with the flag that would make it one."""
        for flag in ANSWER_FLAGS:
            if flag.name in self.given and flag.name not in self.used:
                self.lacking.append(f"{flag.name} says nothing without {flag.needs}")

    def _refuse_lacking(self) -> None:
        if len(self.lacking) > 0:
            raise click.UsageError("\n".join(self.lacking))


def fault_text(fault: Fault) -> str:
    return f"{fault.reason}; {fault.hint}" if len(fault.hint) > 0 else fault.reason
