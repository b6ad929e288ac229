"""Lists of restrictions such as smtpd_recipient_restrictions, as steps (postconf(5), access(5)). Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.postfix.tables import OldTable, TableReader
from secondpost.setup.importing.postfix.words import unbraced, words

# A stage of the conversation, and the parameter with its restrictions.
STAGES: Mapping[str, str] = {
    "client": "smtpd_client_restrictions",
    "helo": "smtpd_helo_restrictions",
    "sender": "smtpd_sender_restrictions",
    "relay": "smtpd_relay_restrictions",
    "recipient": "smtpd_recipient_restrictions",
    "data": "smtpd_data_restrictions",
    "end": "smtpd_end_of_data_restrictions",
}
TAKES_ARGUMENT = re.compile(
    r"(?:check_\w+_access|check_policy_service|(?:reject|permit)_rhs\w+|reject_rbl\w*|permit_dnswl_client|sleep)"
)
# What every restriction of Postfix's begins with; a class may have any name.
KNOWN_WORD = re.compile(
    r"(?:reject|permit|defer|warn|check|sleep)\w*|(?:smtpd_)?\w+_restrictions", re.IGNORECASE
)
_REPLY_CODE = re.compile(r"[45][0-9][0-9](?:\s|$)")


@dataclass(frozen=True, slots=True)
class RestrictionStep:
    """A restriction with its argument. `stage`: where it stands; `only_warns`: after warn_if_reject."""

    word: str
    argument: str
    table: OldTable | None  # of check_…_access
    stage: str
    only_warns: bool = False


@dataclass(frozen=True, slots=True)
class StepReader:
    reader: TableReader

    def steps(self, text: str, stage: str, place: OldPlace) -> tuple[RestrictionStep, ...]:
        return tuple(self._steps(text, stage, place))

    def _steps(self, text: str, stage: str, place: OldPlace) -> Iterator[RestrictionStep]:
        rest = iter([inner for word in words(text) for inner in _inner(word)])
        only_warns = False
        for word in rest:
            lower = word.lower()
            if lower == "warn_if_reject":
                only_warns = True
                continue
            if ":" in word and not TAKES_ARGUMENT.match(lower):
                # A table alone is asked about what the stage is about.
                kind = "recipient" if stage == "relay" else stage
                yield RestrictionStep(
                    f"check_{kind}_access", word, self.reader.table(word, place), stage, only_warns=only_warns
                )
            else:
                argument = next(rest, "") if TAKES_ARGUMENT.fullmatch(lower) else ""
                is_access = lower.endswith("_access") and len(argument) > 0
                table = self.reader.table(argument, place) if is_access else None
                yield RestrictionStep(lower, argument, table, stage, only_warns)
            only_warns = False


def _inner(word: str) -> tuple[str, ...]:
    """{ check_policy_service inet:host:port, timeout=10s }: the restriction and its argument alone."""
    if not word.startswith("{"):
        return (word,)
    return words(unbraced(word))[:2]


@dataclass(frozen=True, slots=True)
class Permits:
    pass


@dataclass(frozen=True, slots=True)
class Refuses:
    pass


@dataclass(frozen=True, slots=True)
class GoesOn:
    """Nothing is decided; `does`: something that Postfix does besides, such as HOLD."""

    does: str = ""


@dataclass(frozen=True, slots=True)
class Restricts:
    """The action is a list of restrictions."""

    text: str


AccessAction = Permits | Refuses | GoesOn | Restricts


def action_of(value: str) -> AccessAction:
    """The result of an access(5) table."""
    word = value.split(None, 1)[0].upper() if len(value.strip()) > 0 else ""
    if _REPLY_CODE.match(value) is not None or word in ("REJECT", "DEFER", "DEFER_IF_PERMIT", "DISCARD"):
        return Refuses()
    if word in ("OK", "RELAY") or (word.isascii() and word.isdigit()):
        return Permits()
    if word in ("DUNNO", ""):
        return GoesOn()
    if word in ("HOLD", "FILTER", "REDIRECT", "BCC", "PREPEND", "WARN", "INFO", "DEFER_IF_REJECT"):
        return GoesOn(word)
    return Restricts(value)
