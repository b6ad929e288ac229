"""Installed units that this version would write otherwise."""

from dataclasses import replace

from secondpost.setup.diagnosis import Grade
from secondpost.setup.unit_look import examine_units
from tests.setup.test_units import files_of

FILES = files_of("both")
INSTALLED = {file.place: file.text for file in FILES}
WEB = "systemd/system/secondpost-web.service"


def test_without_units_there_is_nothing_to_say() -> None:
    assert examine_units(FILES, {}) == ()
    assert examine_units(FILES, {"sysusers.d/secondpost.conf": "of a package"}) == ()


def test_units_as_written_are_well() -> None:
    (found,) = examine_units(FILES, INSTALLED)
    assert found.grade is Grade.WELL


def test_a_stale_a_missing_and_a_needless_unit_are_named() -> None:
    stale = [replace(file, text=file.text + "#\n") if file.place == WEB else file for file in FILES]
    (found,) = examine_units(stale, INSTALLED)
    assert found.grade is Grade.WARNING
    assert f"/etc/{WEB}" in found.text
    (missing,) = examine_units(FILES, {place: text for place, text in INSTALLED.items() if place != WEB})
    assert f"/etc/{WEB}" in missing.text
    (needless,) = examine_units([file for file in FILES if file.place != WEB], INSTALLED)
    assert f"/etc/{WEB}" in needless.text
    assert needless.remedy.startswith("secondpost systemd --install")
