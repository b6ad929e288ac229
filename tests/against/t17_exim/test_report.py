"""The report about Debian's own files is short, and whatever the owner changed in them stands out."""

from pathlib import Path

import pytest

from bench import peers
from secondpost.setup.importing.carried import ReportLine
from secondpost.setup.importing.exim.reading import read_exim
from tests.setup.exim_world import Files

FOLDER = "/etc/exim4"
TEMPLATE = f"{FOLDER}/exim4.conf.template"
ANSWERS = """\
dc_eximconfig_configtype='internet'
dc_other_hostnames='mx2.example.net'
dc_relay_domains='example.net'
dc_relay_nets=''
dc_use_split_config='false'
"""


def debian() -> dict[str, str]:
    """Debian's files as the package has them, and answers."""
    folder = Path(peers.find("exim").file("etc/exim4"))
    found = [folder / "exim4.conf.template", *(one for one in folder.glob("conf.d/*/*") if one.is_file())]
    files = {f"{FOLDER}/{one.relative_to(folder)}": one for one in found}
    texts = {path: one.read_text() for path, one in files.items()}
    return {**texts, f"{FOLDER}/update-exim4.conf.conf": ANSWERS, "/etc/mailname": "mx2.example.net\n"}


def standing_out(files: dict[str, str]) -> list[ReportLine]:
    return [one for one in read_exim(Files(files), FOLDER).report if one.packaged_in == ""]


def of_template(files: dict[str, str]) -> list[str]:
    return [one.text for one in standing_out(files) if one.place.path == TEMPLATE]


def test_of_an_untouched_template_only_what_carries_a_domain_stands_out() -> None:
    found = standing_out(debian())
    assert all(len(one.becomes) > 0 for one in found if one.place.path == TEMPLATE)
    assert sum(one.place.path == TEMPLATE for one in found) == 3
    assert sum(one.place.path.endswith("update-exim4.conf.conf") for one in found) == 5


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("acl_check_mail:\n", "acl_check_mail:\n  deny senders = spam@spam.example\n", "spam@spam.example"),
        ("  file = /var/mail/$local_part_data\n", "  file = /srv/$local_part_data\n", "/srv/"),
        ("  delivery_date_add\n", "", "mail_spool: "),
        ("gecos_name = $1\n", "gecos_name = $2\n", "gecos_name = $2"),
    ],
)
def test_what_the_owner_added_changed_or_took_out_stands_out(old: str, new: str, shown: str) -> None:
    files = debian()
    assert old in files[TEMPLATE]
    assert not any(shown in text for text in of_template(files))
    files[TEMPLATE] = files[TEMPLATE].replace(old, new)
    assert any(shown in text for text in of_template(files))


def test_pieces_are_one_part_for_each_folder() -> None:
    files = debian()
    files[f"{FOLDER}/update-exim4.conf.conf"] = ANSWERS.replace("'false'", "'true'")
    parts = {one.packaged_in for one in read_exim(Files(files), FOLDER).report} - {""}
    assert f"{FOLDER}/conf.d/acl" in parts
    assert len(parts) <= 7


def test_an_open_relay_by_an_answer_is_not_hidden_among_debians_lines() -> None:
    files = debian()
    files[f"{FOLDER}/update-exim4.conf.conf"] = ANSWERS.replace("dc_relay_nets=''", "dc_relay_nets='*'")
    assert any("open relay" in one.why for one in standing_out(files))
