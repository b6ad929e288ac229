"""What another version of the program says of this machine, asked by its own commands."""

import json
import os
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.processes.package_change import StoreWayBack
from secondpost.setup.diagnosis import Grade
from secondpost.world.real.programs import ProgramFailed, answer_of

CHECK_SECONDS_MAX = 200.0  # less than a supervisor waits for the word
REHEARSE_SECONDS_MAX = 3600.0  # a large store is copied


def faults_of(program: str, config: Config) -> dict[tuple[str, str], str]:
    """What `check all` of the version with this interpreter finds: check and subject, to the sentence.

    Raises ProgramFailed.
    """
    words = (program, "-P", "-m", "secondpost", "--config", os.path.abspath(config.path))
    said = answer_of(*words, "check", "all", "--json", seconds_max=CHECK_SECONDS_MAX)
    try:
        diagnoses = json.loads(said.printed)["diagnoses"]
        return {
            (one["check"], one["subject"]): one["text"] for one in diagnoses if one["grade"] == Grade.FAULT
        }
    except (ValueError, KeyError, TypeError):
        raise ProgramFailed(f"check all of {program}: {said.failure}") from None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """`why`: why the version would fail here, empty if it would not."""

    why: tuple[str, ...]
    way_back: StoreWayBack


def rehearse(program: str, config: Config) -> Rehearsed:
    """What `upgrade --check` of the version with this interpreter finds. Raises ProgramFailed."""
    words = (program, "-P", "-m", "secondpost", "--config", os.path.abspath(config.path))
    said = answer_of(*words, "upgrade", "--check", "--json", seconds_max=REHEARSE_SECONDS_MAX)
    try:
        found = json.loads(said.printed)
        wrong = () if found["ready"] else [step for step in found["steps"] if not step["right"]]
        why = tuple(f"{step['text']}: {step['remedy']}" for step in wrong)
        databases = found["databases"]
        is_changed = any(each["schema"] < each["new_schema"] for each in databases)
        # Numbers of schemas are those of all databases, so the highest stands for each.
        schema = max(each["schema"] for each in databases) if is_changed else None
        return Rehearsed(why, StoreWayBack(schema, not is_changed or bool(found["reversible"])))
    except (ValueError, KeyError, TypeError):
        raise ProgramFailed(f"the rehearsal of {program}: {said.failure or said.printed}") from None
