"""Whether the installed units are those that this version would write."""

from collections.abc import Mapping, Sequence

from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.unit_file import SystemdFile

INSTALL = "secondpost systemd --install"


def examine_units(wanted: Sequence[SystemdFile], installed: Mapping[str, str]) -> tuple[Diagnosis, ...]:
    """`installed`: the texts of our files below /etc, by place. None if no unit is installed."""
    if not any(place.startswith("systemd/") for place in installed):
        return ()
    texts = {file.place: file.text for file in wanted}
    differ = [place for place, text in texts.items() if installed.get(place) != text]
    differ += [place for place in installed if place not in texts]
    if len(differ) == 0:
        text = "The systemd units are as this version writes them for this configuration."
        return (Diagnosis(Check.UNITS, "", Grade.WELL, text),)
    named = ", ".join(f"/etc/{place}" for place in differ)
    text = f"Not as this version writes them for this configuration: {named}."
    return (Diagnosis(Check.UNITS, "", Grade.WARNING, text, f"{INSTALL}, then restart secondpost.target"),)
