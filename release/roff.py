"""Markdown as the source of a manual page, for man(1): the part of Markdown that our texts use.

A table becomes a list of its first column; the further columns follow in words of their heads.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

WIDTH = 78  # of the source; man fills its paragraphs itself
INDENT = 4  # of examples, in columns
LEVELS = {"h2": ".SH", "h3": ".SS"}


def roff(markdown: str, columns: Sequence[str] = ()) -> str:
    """The text of a page below its title. `columns` introduce the cells of a table that follow the
    second, such as "Default:".
    """
    parsed = MarkdownIt("commonmark").enable("table").parse(markdown)
    lines = [line for node in SyntaxTreeNode(parsed).children for line in _block(node, columns)]
    return "".join(f"{line}\n" for line in lines)


def escaped(text: str) -> str:
    """Text of a line; the hyphens are those that are typed, not those of typesetting."""
    return text.replace("\\", "\\e").replace("-", "\\-")


def bold(text: str) -> str:
    return f"\\fB{escaped(text)}\\fR"


def filled(text: str) -> list[str]:
    """Lines of a paragraph, of which none looks like a request."""
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"\\&{line}" if line.startswith((".", "'")) else line for line in lines]


def verbatim(text: str) -> list[str]:
    lines = [escaped(line) for line in text.rstrip("\n").split("\n")]
    body = [f"\\&{line}" if line.startswith((".", "'")) else line for line in lines]
    return [".PP", f".RS {INDENT}", ".nf", *body, ".fi", ".RE"]


def _block(node: SyntaxTreeNode, columns: Sequence[str]) -> Iterator[str]:
    match node.type:
        case "heading":
            if node.tag in LEVELS:  # the title stands in the page's first line
                yield f"{LEVELS[node.tag]} {_spans(node, escaped)}"
        case "paragraph":
            yield ".PP"
            yield from filled(_spans(node))
        case "fence" | "code_block":
            yield from verbatim(node.content)
        case "bullet_list" | "ordered_list":
            for number, item in enumerate(node.children, 1):
                mark = "\\(bu 2" if node.type == "bullet_list" else f"{number}. 3"
                yield f".IP {mark}"
                yield from filled(" ".join(_spans(inner) for inner in item.children))
        case "table":
            yield from _rows(node, columns)
        case unknown:
            raise ValueError(f"manual pages know no {unknown}")


def _rows(table: SyntaxTreeNode, columns: Sequence[str]) -> Iterator[str]:
    heads, *rows = [
        [_spans(cell) for cell in row.children] for part in table.children for row in part.children
    ]
    # A table that is not of the page's usual form has its own heads before each cell.
    is_usual = len(heads) == 2 + len(columns)
    words = ["", *columns] if is_usual else [f"{head[:1].upper()}{head[1:]}" for head in heads[1:]]
    for first, *further in rows:
        yield ".TP"
        yield first
        said = [f"{word} {cell}".strip() for word, cell in zip(words, further, strict=True)]
        yield from filled(" ".join(f"{one.rstrip('.')}." for one in said))


def _spans(node: SyntaxTreeNode, code: Callable[[str], str] = bold) -> str:
    return "".join(_span(child, code) for child in node.children)


def _span(node: SyntaxTreeNode, code: Callable[[str], str]) -> str:
    match node.type:
        case "text":
            return escaped(node.content)
        case "code_inline":
            return code(node.content)
        case "softbreak":
            return " "
        case "em" | "strong":
            return f"\\fI{_spans(node, code)}\\fR"
        case "inline" | "link":
            return _spans(node, code)
        case unknown:
            raise ValueError(f"manual pages know no {unknown}")
