"""The description of a key beside its field is all that its table's reader and names come from."""

import tomllib
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, get_args, get_origin

import pytest

from secondpost.config.faults import Wrong
from secondpost.config.files import FilesBeside
from secondpost.config.key import FileForm, ListForm, OwnForm, ValueForm
from secondpost.config.keys import DESCRIBED, FIELDS, KEYS, TABLES, TOP, KeyField, key_fields
from secondpost.config.positions import Positions
from secondpost.config.section import Findings, Section
from secondpost.config.tables import read_table, values

EVERY = [(table, one) for table, fields in FIELDS.items() for one in fields]


@dataclass(frozen=True, slots=True)
class Described:
    probe_ms: Annotated[int, DESCRIBED["deliver"]["probe"]] = 1
    port: int = 2


def test_a_field_is_a_key_only_by_its_description() -> None:
    assert tuple(key_fields(Described)) == (KeyField("probe", "probe_ms", DESCRIBED["deliver"]["probe"]),)
    assert {one.name for one in FIELDS["deliver"]} == set(KEYS["deliver"])
    assert KEYS[TOP][0] == "version"


def is_a(value: object, kind: object) -> bool:
    """Whether a value is of a type as the fields of records have them."""
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(is_a(one, get_args(kind)[0]) for one in value)
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return type(value) in kinds or isinstance(value, tuple(one for one in kinds if isinstance(one, type)))


@pytest.mark.parametrize(("table", "one"), EVERY)
def test_what_is_read_is_of_the_type_of_its_field(table: str, one: KeyField) -> None:
    """What mypy cannot see, as the reader is one for all."""
    form, kind = one.key.form, get_args(TABLES[table].record.__annotations__[one.field])[0]
    example = tomllib.loads(f"value = {one.key.example}")["value"] if len(one.key.example) > 0 else None
    match form:
        case ValueForm():
            assert example is None or is_a(form(example), kind)
        case ListForm():
            assert isinstance(example, list)
            assert is_a(tuple(form.of(each) for each in example), kind)
        case FileForm():
            assert is_a("/a/path", kind)
        case OwnForm():
            assert table in ("backup", "metrics", "watch")
    assert is_a(one.key.missing, kind) or len(one.key.need) == 0


@pytest.mark.parametrize(("table", "one"), EVERY)
def test_no_form_takes_a_table_or_a_date(table: str, one: KeyField) -> None:
    form = one.key.form.of if isinstance(one.key.form, ListForm) else one.key.form
    if isinstance(form, ValueForm):
        for wrong in ({}, {"no": 1}, 1.5, tomllib.loads("at = 2026-11-30")["at"]):
            with pytest.raises(Wrong):
                form(wrong)


def test_a_table_is_read_by_its_descriptions_alone() -> None:
    findings = Findings(Positions({}))
    section = Section("deliver", ("deliver",), {"probe": "1 minute", "port": "2700"}, findings)
    beside = FilesBeside("/", are_checked=False)
    assert dict(values(section, beside)) == {"probe_ms": 60_000}
    assert [fault.key for fault in findings.faults] == ["deliver.port"]
    assert read_table(section, beside, Described) == Described(60_000)
