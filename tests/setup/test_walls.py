"""What is said of kernels that lack a wall."""

import pytest

from secondpost.mail.walls import StandingWalls, WallGap
from secondpost.setup.diagnosis import Check, Grade
from secondpost.setup.walls import examine_walls


def test_a_kernel_with_all_walls_is_well() -> None:
    found = examine_walls(StandingWalls(7, has_seccomp=True))
    assert (found.check, found.grade) == (Check.WALLS, Grade.WELL)


@pytest.mark.parametrize(
    ("walls", "grade", "said", "wanted"),
    [
        (StandingWalls(2, True), Grade.NOTE, "Landlock 2", "Linux 6.12"),
        (StandingWalls(0, True), Grade.WARNING, "without Landlock", "Linux 5.13"),
        (StandingWalls(7, False), Grade.WARNING, "make any system call", "seccomp in the kernel"),
        (StandingWalls(0, False), Grade.WARNING, "read and write what its user may", "seccomp in the kernel"),
    ],
)
def test_each_gap_is_named_with_what_it_means_and_what_closes_it(
    walls: StandingWalls, grade: Grade, said: str, wanted: str
) -> None:
    found = examine_walls(walls)
    assert found.grade is grade
    assert said in found.text
    assert found.remedy is not None
    assert wanted in found.remedy


def test_the_gaps_of_each_version() -> None:
    every = (WallGap.TRUNCATE, WallGap.TCP, WallGap.ABSTRACT_SOCKETS)
    gaps = {version: StandingWalls(version, True).gaps for version in range(8)}
    assert gaps == {
        0: (WallGap.FILES, WallGap.TCP, WallGap.ABSTRACT_SOCKETS),
        1: every,
        2: every,
        3: every[1:],
        4: every[2:],
        5: every[2:],
        6: (),
        7: (),
    }
