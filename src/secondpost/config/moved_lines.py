"""Keys that move from one table of a TOML text to a new one, with the comments that belong to them.

To a key belong the comment on its line and the comment lines directly above it. Every other line stays
as it is, octet for octet. Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.config.blocks import COMMENTED_OUT, TableBlock, line_begin, line_end, newline_after
from secondpost.config.statements import KeyValue, Span

_HELD = re.compile(f"^{COMMENTED_OUT.pattern}", re.MULTILINE)
_BLANKS = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class Edit:
    """The characters of `span` become `text`."""

    span: Span
    text: str


Moves = Mapping[str, tuple[str, str]]  # by key: the new table, and the key's name there


def edited(text: str, edits: Sequence[Edit]) -> str:
    for edit in sorted(edits, key=lambda one: (one.span.begin, one.span.end), reverse=True):
        text = text[: edit.span.begin] + edit.text + text[edit.span.end :]
    return text


def moved_keys(text: str, block: TableBlock, moves: Moves) -> Iterator[Edit]:
    """Move keys of a block to new tables behind it. The text ends with a line end.

    The header goes too if neither keys nor comments are left.
    """
    chunks = [_chunk(text, block, number) for number in range(len(block.keys))]
    moving = [one.names[0] in moves and len(one.names) == 1 for one in block.keys]
    begin, end = line_begin(text, block.header.begin), _block_end(text, block, chunks)
    removed = list(_removed(chunks, moving, text, end))
    left = edited(text[begin:end], [Edit(Span(s.begin - begin, s.end - begin), "") for s in removed])
    is_empty = left.strip() == text[block.header.begin : block.header.end]
    has_comment = _comments_begin(text, begin, block.before) < begin
    tables = list(_new_tables(text, block, chunks, moves))
    if is_empty and not has_comment:
        yield Edit(Span(begin, end), block.gap.join(tables))
        return
    for span in removed:
        yield Edit(span, "")
    yield Edit(Span(end, end), "".join(block.gap + table for table in tables))


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A key with its comments, whole lines; `lead` begins the blank lines above them."""

    lead: int
    begin: int
    end: int


def _chunk(text: str, block: TableBlock, number: int) -> _Chunk:
    above = block.header.end if number == 0 else block.keys[number - 1].end
    bound = line_end(text, above)
    one = block.keys[number]
    begin = lead = _comments_begin(text, line_begin(text, one.begin), bound)
    while lead > bound and len(text[line_begin(text, lead - 1) : lead].strip()) == 0:
        lead = line_begin(text, lead - 1)
    return _Chunk(lead, begin, line_end(text, one.end))


def _comments_begin(text: str, begin: int, bound: int) -> int:
    """Where the comment lines directly above the line at `begin` begin, not before `bound`."""
    while begin > bound and text[line_begin(text, begin - 1) : begin].lstrip().startswith("#"):
        begin = line_begin(text, begin - 1)
    return begin


def _block_end(text: str, block: TableBlock, chunks: Sequence[_Chunk]) -> int:
    """Behind the last line that belongs to the block: comments directly above the next header do not,
    unless they hold a key.
    """
    bound = chunks[-1].end if len(chunks) > 0 else line_end(text, block.header.end)
    end = block.after
    if end < len(text):
        end = _comments_begin(text, end, bound)
        held = [found.end() for found in _HELD.finditer(text, end, block.after)]
        end = line_end(text, held[-1]) if len(held) > 0 else end
    while end > bound and len(text[line_begin(text, end - 1) : end].strip()) == 0:
        end = line_begin(text, end - 1)
    return end


def _removed(chunks: Sequence[_Chunk], moving: Sequence[bool], text: str, end: int) -> Iterator[Span]:
    """What the moving keys leave. The blank lines above some in a row go too where others follow, and a
    blank line below them where the header is above, so that no gap grows.
    """
    for first, last in _runs(chunks, moving):
        begin, behind = chunks[first], chunks[last].end
        next_line = text[behind : line_end(text, behind)]
        closes = behind >= end or len(next_line.strip()) == 0
        if closes and first == 0 and begin.lead == begin.begin and behind < end:
            behind += len(next_line)
        yield Span(begin.lead if closes else begin.begin, behind)


def _runs(chunks: Sequence[_Chunk], moving: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """First and last of moving chunks with at most blank lines between them."""
    first = None
    for number, (chunk, moves) in enumerate(zip(chunks, moving, strict=True)):
        if moves and first is None:
            first = number
        is_last = number + 1 == len(chunks) or not moving[number + 1] or chunks[number + 1].lead != chunk.end
        if first is not None and is_last:
            yield first, number
            first = None


def _new_tables(text: str, block: TableBlock, chunks: Sequence[_Chunk], moves: Moves) -> Iterator[str]:
    """The new tables, whole lines, in the order of their first keys."""
    indent = text[line_begin(text, block.header.begin) : block.header.begin]
    pairs = [
        (one, chunk, moves[one.names[0]])
        for one, chunk in zip(block.keys, chunks, strict=True)
        if len(one.names) == 1 and one.names[0] in moves
    ]
    for table in dict.fromkeys(table for _, _, (table, _) in pairs):
        yield f"{indent}[{table}]{newline_after(text, block.header.end)}" + "".join(
            _moved(text, block, pairs, table)
        )


def _moved(
    text: str, block: TableBlock, pairs: Sequence[tuple[KeyValue, _Chunk, tuple[str, str]]], table: str
) -> Iterator[str]:
    mine = [(one, chunk, key) for one, chunk, (to, key) in pairs if to == table]
    width = max(len(key) for _, _, key in mine) if is_aligned(text, block.keys) else 0
    gap_min = min(len(gap_of(text, one)) for one in block.keys)
    for number, (one, chunk, key) in enumerate(mine):
        begin = chunk.begin if number == 0 else chunk.lead
        quote = text[one.begin] if text[one.begin] in "\"'" else ""
        gap = " " * (width - len(key) + gap_min) if width > 0 else gap_of(text, one)
        behind = text[one.key.end + len(gap_of(text, one)) : chunk.end]
        yield f"{text[begin : one.begin]}{quote}{key}{quote}{gap}{behind}"


def is_aligned(text: str, keys: Sequence[KeyValue]) -> bool:
    """Whether the equals signs stand in one column below each other behind keys of different lengths."""
    columns = {one.key.end + len(gap_of(text, one)) - line_begin(text, one.begin) for one in keys}
    return len(columns) == 1 and len({one.key.end - one.begin for one in keys}) > 1


def gap_of(text: str, one: KeyValue) -> str:
    """The blanks between key and equals sign."""
    match = _BLANKS.match(text, one.key.end)
    assert match is not None, "it matches anything"
    return match[0]
