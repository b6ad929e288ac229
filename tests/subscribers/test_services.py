"""The table of export formats, and the samples. Here only the table interprets a sample.

That the import does the same is another test.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import pytest

from secondpost.subscribers.meanings import (
    AtLeast,
    ExportForm,
    Meaning,
    Moment,
    Plain,
    ReaderStanding,
    Words,
    YesNo,
    folded,
)
from secondpost.subscribers.services import EXPORTS, GENERAL, NO, SUSPECT, WANTS
from tests.subscribers.export_samples import SAMPLES, ExportSample

SERVICES = frozenset(
    {
        "Mailchimp", "Buttondown", "listmonk", "Substack", "Ghost", "Kit", "MailerLite", "Sendy", "phpList",
        "Mailman 2", "Mailman 3", "Keila", "Google Groups", "Brevo",
    }
)  # fmt: skip
SAMPLES_MIN = 30
PEOPLE_MIN = 3
NOTHING, UNCLEAR = "nothing", "unclear"
STRENGTH = (NOTHING, "active", "pending", UNCLEAR, "left", "suppressed")  # each overrides those before it
Row = Mapping[str, list[str]]  # folded column name to its values

named = pytest.mark.parametrize("form", EXPORTS, ids=lambda form: f"{form.service}, {form.what}")


def form_of(names: Iterable[str], *, is_json: bool, file_name: str = "") -> ExportForm | None:
    found = [form for form in EXPORTS if (form.rows_at is not None) == is_json and form.marks <= set(names)]
    best = [form for form in found if all(other.marks <= form.marks for other in found)]
    by_name = [form for form in best if len(form.file_name) > 0 and form.file_name in file_name]
    of_any_name = [form for form in best if len(form.file_name) == 0]
    best = by_name if len(by_name) > 0 else of_any_name
    return best[0] if len(best) == 1 else None


def standings_in(meaning: Meaning) -> set[ReaderStanding | None]:
    match meaning:
        case Words():
            return {*meaning.meanings.values(), meaning.empty}
        case YesNo():
            return {meaning.yes, meaning.no}
        case Moment() | AtLeast():
            return {meaning.standing}
        case Plain():
            return set()


def standings_of(form: ExportForm) -> set[ReaderStanding]:
    said = {form.whole}.union(*(standings_in(meaning) for meaning in form.columns.values()))
    return {standing for standing in said if standing is not None}


@named
def test_a_file_with_all_columns_of_a_form_is_of_that_form_alone(form: ExportForm) -> None:
    assert len(form.marks) >= 2
    assert form_of(form.columns, is_json=form.rows_at is not None, file_name=form.file_name) is form


@named
def test_names_and_words_are_folded(form: ExportForm) -> None:
    assert {folded(name) for name in form.columns} == set(form.columns)
    assert form.marks <= set(form.columns)
    for meaning in form.columns.values():
        if isinstance(meaning, Words):
            assert len(meaning.meanings) > 0
            assert {folded(word) for word in meaning.meanings} == set(meaning.meanings)


@named
def test_a_form_has_addresses_and_says_who_is_a_reader_or_that_it_does_not(form: ExportForm) -> None:
    assert Plain.ADDRESS in form.columns.values()
    assert ReaderStanding.ACTIVE in standings_of(form) or form.whole is not None or len(form.unsaid) > 0


def test_no_two_forms_have_one_name() -> None:
    assert max(Counter((form.service, form.what) for form in EXPORTS).values()) == 1


def test_what_holds_for_all_lists_is_folded() -> None:
    assert {folded(name) for name in GENERAL} == set(GENERAL)
    assert {folded(word) for word in SUSPECT} == set(SUSPECT)


def test_a_word_that_keeps_mail_away_is_suspect_in_a_column_that_is_not_understood() -> None:
    unsuspected = {
        word
        for meanings in (GENERAL, *(form.columns for form in EXPORTS))
        for meaning in meanings.values()
        if isinstance(meaning, Words)
        for word, standing in meaning.meanings.items()
        if standing in (ReaderStanding.LEFT, ReaderStanding.SUPPRESSED)
        and not word.startswith(tuple(SUSPECT))
    }
    assert unsuspected == {
        # They have this meaning only in their own column.
        "u", "a", "b", "p", "[?]", "no", "false", "none", "unknown", "nonmember",
        "transactional", "notset", "temphold", "nolists",
        # Of several words one is suspect.
        "bymoderator", "markedasspam", "reportedspam",
    }  # fmt: skip


def test_every_service_has_a_sample() -> None:
    assert {form.service for form in EXPORTS} >= SERVICES
    sampled = {(sample.service, form) for sample in SAMPLES if not sample.is_hostile for form in sample.forms}
    assert {(form.service, form.what) for form in EXPORTS} - sampled == {("Mailchimp", "contacts")}
    assert len(SAMPLES) >= SAMPLES_MIN


@named
def test_a_form_has_a_sample_with_three_people_of_each_standing_that_it_knows(form: ExportForm) -> None:
    counts = [
        Counter(standing for _, standing in sample.people)
        for sample in SAMPLES
        if sample.service == form.service and form.what in sample.forms and not sample.is_hostile
    ]
    for standing in standings_of(form) if len(counts) > 0 else ():
        assert max(count[standing.value] for count in counts) >= PEOPLE_MIN


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_sample_has_three_people_of_each_standing_in_it(sample: ExportSample) -> None:
    counts = Counter(standing for _, standing in sample.people)
    assert set(counts) <= set(STRENGTH)
    assert len(counts) > 0 or len(sample.stops) > 0
    assert sample.is_hostile or min(counts.values()) >= PEOPLE_MIN


OF_THE_TABLE = [sample for sample in SAMPLES if sample.service is not None and sample.path.suffix != ".zip"]


@pytest.mark.parametrize("sample", OF_THE_TABLE, ids=str)
def test_a_sample_is_recognised_and_means_what_it_should(sample: ExportSample) -> None:
    is_json = sample.path.suffix == ".json"
    rows = list(json_rows(sample) if is_json else csv_rows(sample))
    form = form_of({name for row in rows for name in row}, is_json=is_json, file_name=sample.path.name)
    assert form is not None
    assert (form.service, (form.what,)) == (sample.service, sample.forms)
    said: dict[str, str] = {}
    for row in rows:
        address, standing = read(form, row)
        said[address] = max(said.get(address, NOTHING), standing, key=STRENGTH.index)
    assert sample.people == () or said == dict(sample.people)


def csv_rows(sample: ExportSample) -> Iterator[Row]:
    octets = sample.path.read_bytes()
    text = octets.decode("utf-16" if octets[:2] == b"\xff\xfe" else encoding_of(octets))
    if text.startswith("Members for group"):
        text = text.partition("\n")[2]
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    escape = "\\" if sample.service == "MailPoet" else None
    for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, escapechar=escape):
        yield {folded(name): [value] for name, value in row.items()}


def encoding_of(octets: bytes) -> str:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def json_rows(sample: ExportSample) -> Iterator[Row]:
    whole = json.loads(sample.path.read_bytes())
    [form] = [form for form in EXPORTS if (form.service, (form.what,)) == (sample.service, sample.forms)]
    for name in (form.rows_at or "").split("."):
        whole = whole[name] if len(name) > 0 else whole
    for found in whole:
        row: dict[str, list[str]] = {}
        flatten(form, "", "", found, row)
        yield row


def flatten(form: ExportForm, name: str, stands_for: str, value: object, row: dict[str, list[str]]) -> None:
    """`stands_for`: the table's name for the object that contains the value."""
    stands_for = folded(name) if folded(name) in form.columns else stands_for
    match value:
        case dict():
            for inner, below in value.items():
                flatten(form, f"{name}.{inner}" if len(name) > 0 else inner, stands_for, below, row)
        case list():
            for below in value:
                flatten(form, name, stands_for, below, row)
        case _:
            row.setdefault(folded(name), [])
            text = "" if value is None else str(value)
            row.setdefault(stands_for if len(stands_for) > 0 else folded(name), []).append(text)


def read(form: ExportForm, row: Row) -> tuple[str, str]:
    [address] = [
        row[name][0] for name, meaning in form.columns.items() if meaning is Plain.ADDRESS and name in row
    ]
    said = [form.whole.value] if form.whole is not None else [NOTHING]
    for name, values in row.items():
        meaning = form.columns.get(name, GENERAL.get(name, Plain.KEPT))
        said += [standing_said(meaning, value) for value in values]
    return address.removeprefix("'").lower(), max(said, key=STRENGTH.index)


def standing_said(meaning: Meaning, value: str) -> str:
    word = folded(value)
    match meaning:
        case Words() if len(word) == 0:
            standing = meaning.empty
        case Words() if word not in meaning.meanings and not meaning.is_open:
            return UNCLEAR
        case Words():
            standing = meaning.meanings.get(word)
        case YesNo():
            standing = {"true": meaning.yes, "yes": meaning.yes, "1": meaning.yes, "": None}.get(
                word, meaning.no
            )
        case Moment():
            standing = meaning.standing if len(word) > 0 else None
        case AtLeast():
            standing = meaning.standing if word.isdecimal() and int(word) >= meaning.number else None
        case Plain():
            standing = None
    return NOTHING if standing is None else standing.value


def test_the_words_of_the_tables_are_compared_as_they_stand() -> None:
    """Folded and without accents; otherwise no word of a list would match."""
    for word in SUSPECT | WANTS | NO:
        assert word == folded(word)
