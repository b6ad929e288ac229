"""What each adapter makes of an answer, good or bad, is in the files of `answers`."""

import pytest

from .answered import ANSWERS, REGISTER, said_of, said_of_register

CASES = sorted(str(path.relative_to(ANSWERS)) for path in ANSWERS.glob("*/*.answer"))
REGISTERS = sorted({path.name.split(".")[0] for path in REGISTER.glob("*.csv")})


@pytest.mark.parametrize("name", CASES)
def test_what_is_made_of_an_answer(name: str) -> None:
    path = ANSWERS / name
    assert said_of(path) == path.with_suffix(".said").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("octets", [1, 7, 64, 1_000_000])
@pytest.mark.parametrize("name", REGISTERS)
def test_what_is_found_in_a_register_however_it_is_cut(name: str, octets: int) -> None:
    expected = (REGISTER / f"{name}.said").read_text(encoding="utf-8").splitlines()
    assert said_of_register(name, octets) == expected


def test_every_expectation_has_its_case() -> None:
    expected = {str(path.relative_to(ANSWERS))[:-5] for path in ANSWERS.glob("*/*.said")}
    assert expected == {name[:-7] for name in CASES} | {f"register/{name}" for name in REGISTERS}
