"""Keys that move from one table of a TOML text to another where no header stands above them:
`tls.acme_root = …`, and `tls = { acme_root = … }`.

Both are at the top of the file, and so is what they become. Pure.
"""

from collections.abc import Iterator, Sequence

from secondpost.config.blocks import line_begin, line_end, newline_after
from secondpost.config.moved_lines import Edit, Moves, gap_of, is_aligned
from secondpost.config.statements import KeyValue, Span


def renamed_dotted(text: str, one: KeyValue, new: tuple[str, str], top: Sequence[KeyValue]) -> Edit:
    """A dotted key stays in its line, and its equals sign in the column of others at the top."""
    name, gap = ".".join(new), gap_of(text, one)
    if is_aligned(text, top):
        gap = " " * max(one.key.end + len(gap) - one.begin - len(name), len(" "))
    return Edit(Span(one.begin, one.key.end + len(gap_of(text, one))), name + gap)


def moved_members(text: str, one: KeyValue, moves: Moves) -> Iterator[Edit]:
    """Members leave `table = { … }` for an inline table of their own, in the next line.

    If all of them leave, it takes the place of the old one.
    """
    members = one.value.members
    moving = [moves.get(member.names[0]) if len(member.names) == 1 else None for member in members]
    tables = dict.fromkeys(to[0] for to in moving if to is not None)
    newline = newline_after(text, one.end)
    lines = [_inline_table(text, one, table, moving) for table in tables]
    if len(lines) == 0:
        return
    if None not in moving:
        yield Edit(Span(one.begin, one.end), newline.join(lines))
        return
    yield from _taken_out(members, [to is not None for to in moving])
    end = line_end(text, one.end)
    indent = text[line_begin(text, one.begin) : one.begin]
    yield Edit(Span(end, end), "".join(f"{indent}{line}{newline}" for line in lines))


def _inline_table(text: str, one: KeyValue, table: str, moving: Sequence[tuple[str, str] | None]) -> str:
    """`table = { … }` with the members that move there, spaced as the old one."""
    members = one.value.members
    equals = text[one.key.end : one.value.span.begin]
    opening = text[one.value.span.begin : members[0].begin]
    closing = text[members[-1].end : one.end]
    inside = [
        f"{to[1]}{text[member.key.end : member.end]}"
        for member, to in zip(members, moving, strict=True)
        if to is not None and to[0] == table
    ]
    return f"{table}{equals}{opening}{', '.join(inside)}{closing}"


def _taken_out(members: Sequence[KeyValue], moving: Sequence[bool]) -> Iterator[Edit]:
    """Each moving member goes with one comma: that before it, or behind those at the beginning."""
    first_left = moving.index(False)
    if first_left > 0:
        yield Edit(Span(members[0].begin, members[first_left].begin), "")
    for number in range(first_left + 1, len(members)):
        if moving[number]:
            yield Edit(Span(members[number - 1].end, members[number].end), "")
