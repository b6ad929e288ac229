"""The files of a list: the file itself, or those in a ZIP that are lists of readers. Workbooks are
refused.
"""

import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from secondpost.subscribers.event_files import refuse_events
from secondpost.subscribers.list_columns import OwnersWord, columns_of, form_of
from secondpost.subscribers.list_document import ListPart, Octets, part_of
from secondpost.subscribers.list_rows import NoAddresses, NoList

ZIP_MARK = b"PK\x03\x04"
OLD_WORKBOOK_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls
NAMES_SHOWN_MAX = 20
SUFFIXES = (".csv", ".tsv", ".txt", ".json")
SAVE_AS_CSV = "save it as CSV (UTF-8) and import that file"

# What zipfile raises for a member that is damaged, encrypted, or compressed by an unknown method; for
# one that would begin before the file does, ValueError.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError)


def parts_of(name: str, octets: Octets, address_name: str | None = None) -> list[ListPart]:
    """The parts of the list `name`; files without lines are left out. Raises NoList.

    `address_name` is what the owner says the address column is called.
    """
    with octets() as source:
        mark = source.read(len(OLD_WORKBOOK_MARK))
    if mark == OLD_WORKBOOK_MARK:
        raise NoList(f"it is an Excel workbook: {SAVE_AS_CSV}")
    if mark.startswith(ZIP_MARK):
        return _zipped(octets, address_name)
    part = part_of(name, octets, address_name)
    return [] if part is None else [part]


def _zipped(octets: Octets, address_name: str | None) -> list[ListPart]:
    try:
        archive = zipfile.ZipFile(octets())
    except (zipfile.BadZipFile, ValueError) as error:
        raise NoList(f"the ZIP cannot be read: {error}") from None
    members = [each for each in archive.infolist() if not each.filename.startswith("__MACOSX")]
    names = [member.filename for member in members if not member.is_dir()]
    _refuse_workbook(names)
    lists = list(_lists_in(archive, members, address_name))
    if len(lists) == 0:
        raise NoList(
            f"it is a ZIP, and none of its files looks like a list of readers: {_shown(names)}. Unpack it "
            "and import the file that has the readers"
        )
    if len(lists) > 1 and not all(map(_is_of_mailchimp, lists)):
        raise NoList(
            f"it is a ZIP with several lists: {_shown([part.name for part in lists])}. Unpack it and import "
            "each of them that you want"
        )
    return lists


def _refuse_workbook(names: Sequence[str]) -> None:
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        raise NoList(f"it is an Excel workbook: {SAVE_AS_CSV}")
    if "mimetype" in names and "content.xml" in names:
        raise NoList(f"it is a LibreOffice document: {SAVE_AS_CSV}")


def _lists_in(
    archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], address_name: str | None
) -> Iterator[ListPart]:
    for member in members:
        if not member.filename.lower().endswith(SUFFIXES):
            continue
        try:
            part = part_of(member.filename, _member(archive, member), address_name)
        except NoAddresses:
            continue
        except _UNREADABLE as fault:
            # The whole member was read, to detect its encoding. NoList, which is a ValueError, refuses
            # the whole ZIP too: this may be the file of those who left.
            raise NoList(f"{member.filename} in the ZIP cannot be read: {fault}") from None
        if part is not None and _is_list(part):
            yield part


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Octets:
    return lambda: archive.open(member)


def _is_list(part: ListPart) -> bool:
    word = OwnersWord()
    try:
        refuse_events(part, columns_of(part, word), word)
    except NoList:
        return False
    return True


def _is_of_mailchimp(part: ListPart) -> bool:
    form = form_of(part)
    return form is not None and form.service == "Mailchimp"


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN_MAX:,} more" if len(names) > NAMES_SHOWN_MAX else ""
    return ", ".join(names[:NAMES_SHOWN_MAX]) + more
