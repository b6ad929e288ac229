"""The position found for each value of a TOML text is the line of its key."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.config.positions import KeyPath, positions


def lines_of(text: str) -> dict[KeyPath, int]:
    tomllib.loads(text)
    return dict(positions(text).lines)


def places_in(value: object, place: KeyPath = ()) -> Iterator[KeyPath]:
    if len(place) > 0:
        yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places_in(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places_in(inner, (*place, number))


def test_plain_keys_and_tables() -> None:
    assert lines_of("a = 1\n\n# b\n[t]\nb = 2\n") == {("a",): 1, ("t",): 4, ("t", "b"): 5}


def test_an_empty_file_has_no_places() -> None:
    assert lines_of("") == {}
    assert positions("").line(("anything",)) == 1


def test_dotted_and_quoted_keys() -> None:
    text = 'a . "b.c" = 1\n"d\\u0065" = 2\n\'f # g\' = 3\n[ h . "i" ]\nj.k = 4\n'
    assert lines_of(text) == {
        ("a",): 1,
        ("a", "b.c"): 1,
        ("de",): 2,
        ("f # g",): 3,
        ("h",): 4,
        ("h", "i"): 4,
        ("h", "i", "j"): 5,
        ("h", "i", "j", "k"): 5,
    }


def test_arrays_of_tables_are_counted_also_inside_each_other() -> None:
    text = "[[a]]\nx = 1\n[[a.b]]\n[[a.b]]\ny = 2\n[a.c]\nz = 3\n[[a]]\n[[a.b]]\ny = 4\n"
    lines = lines_of(text)
    assert lines[("a", 0)] == 1
    assert lines[("a", 0, "x")] == 2
    assert lines[("a", 0, "b", 1)] == 4
    assert lines[("a", 0, "b", 1, "y")] == 5
    assert lines[("a", 0, "c", "z")] == 7
    assert lines[("a", 1)] == 8
    assert lines[("a", 1, "b", 0, "y")] == 10


def test_elements_of_a_list_over_several_lines() -> None:
    text = 'a = [ # [ not this ]\n  "x", # ,\n\n  "]",\n  [1,\n   2],\n]\nb = 1\n'
    assert lines_of(text) == {
        ("a",): 1,
        ("a", 0): 2,
        ("a", 1): 4,
        ("a", 2): 5,
        ("a", 2, 0): 5,
        ("a", 2, 1): 6,
        ("b",): 8,
    }


def test_inline_tables() -> None:
    lines = lines_of('a = { b = 1, "c" = { d.e = [ { f = 2 } ] } }\ng = {}\n')
    assert lines[("a", "c", "d", "e", 0, "f")] == 1
    assert lines[("g",)] == 2


@pytest.mark.parametrize(
    "value",
    [
        '"""\nb = 1\n"""',
        "'''\n[b]\n'''",
        '"""\n\\"""\nb = 1"""',
        '"""""\nb = 1\n"""""',
        "'''''\nb = 1\n'''''",
        '"""\\\n  b = 1"""',
        '[\n"""\n]\n""",\n]',
        '"# \\" b"',
        "'\\'",
        '""',
        "''",
        '""""""',
        "''''''",
    ],
)
def test_what_stands_inside_a_text_is_no_key(value: str) -> None:
    lines = lines_of(f"a = {value} # b\nz = 1\n")
    assert {place for place in lines if len(place) == 1} == {("a",), ("z",)}
    assert lines[("z",)] == 2 + value.count("\n")


@pytest.mark.parametrize(
    "value", ["1979-05-27 07:32:00", "07:32:00", "+1_000", "-inf", "0xdead", "6.6e-34", "true"]
)
def test_scalars(value: str) -> None:
    assert lines_of(f"a = [{value}, {value}]\nb = {{ c = {value} }}\nd = {value} # e\nf = {value}") == {
        ("a",): 1,
        ("a", 0): 1,
        ("a", 1): 1,
        ("b",): 2,
        ("b", "c"): 2,
        ("d",): 3,
        ("f",): 4,
    }


def test_a_missing_key_is_shown_at_its_table() -> None:
    found = positions("a = 1\n[[b]]\n[[b]]\nc = [\n1]\n")
    assert found.line(("b", 1, "missing")) == 3
    assert found.line(("b", 1, "c", 7)) == 4
    assert found.line(("missing",)) == 1


# -- any document: a writer that knows its lines


@dataclass
class Writer:
    """Writes TOML with unique keys and records the line of each."""

    text: str = ""
    keys: int = 0
    expected: dict[str, int] = field(default_factory=dict)

    def put(self, text: str) -> None:
        self.text += text

    def key(self, quotes: str) -> None:
        name = f"k{self.keys}" + (" #.]=" if len(quotes) > 0 else "")
        self.keys += 1
        self.expected[name] = self.text.count("\n") + 1
        self.put(f"{quotes}{name}{quotes}")


@st.composite
def documents(draw: st.DrawFn) -> Writer:
    writer = Writer()
    quotes = st.sampled_from(["", "'", '"'])
    gaps = st.sampled_from(["", " ", "\n", " # ]}\"'\n", "\n\n\t"])
    scalars = st.sampled_from(
        ["1", "true", "1979-05-27 07:32:00", '"x # ]"', "'}'", '"""\nk0 = 1\n"""', "'''\n]\n'''", '"\\""']
    )

    def value(depth: int) -> None:
        shape = draw(st.sampled_from(["scalar", "scalar", "array", "inline"] if depth < 3 else ["scalar"]))
        if shape == "scalar":
            writer.put(draw(scalars))
        elif shape == "array":
            writer.put("[" + draw(gaps))
            count = draw(st.integers(0, 3))
            for number in range(count):
                value(depth + 1)
                last = number == count - 1
                writer.put(draw(gaps) + ("" if last and draw(st.booleans()) else ",") + draw(gaps))
            writer.put("]")
        else:
            writer.put("{ ")
            for number in range(draw(st.integers(0, 2))):
                writer.put(", " if number > 0 else "")
                statement(depth + 1)
            writer.put(" }")

    def statement(depth: int) -> None:
        writer.key(draw(quotes))
        for _ in range(draw(st.integers(0, 2))):
            writer.put(draw(st.sampled_from([".", " . "])))
            writer.key(draw(quotes))
        writer.put(draw(st.sampled_from(["=", " = "])))
        value(depth)

    for _ in range(draw(st.integers(0, 6))):
        shape = draw(st.sampled_from(["statement", "statement", "table", "again", "blank"]))
        if shape == "statement":
            statement(0)
        elif shape == "table":
            writer.put("[")
            writer.key(draw(quotes))
            writer.put(" . ")
            writer.key(draw(quotes))
            writer.put("]")
        elif shape == "again":
            writer.put("[[again]]")
        writer.put(draw(st.sampled_from(["\n", " # = [\n"])))
    return writer


@given(documents())
def test_every_key_is_found_on_its_line(writer: Writer) -> None:
    values = tomllib.loads(writer.text)
    found = positions(writer.text)
    for place in places_in(values):
        assert place in found.lines
        if isinstance(place[-1], str) and place[-1] in writer.expected:
            assert found.line(place) == writer.expected[place[-1]]
    assert set(found.lines) == set(places_in(values))
