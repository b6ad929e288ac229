"""Replace formulas by the text they were written as: mail programs neither draw MathML nor run
scripts.

One pass over the markup, well-formed or not.
"""

import re
from html import escape

_START = re.compile(r"<(math|script|span)\b([^<>]*)>", re.IGNORECASE)
_SPAN = re.compile(r"<(/?)span\b", re.IGNORECASE)
_ENDS = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("math", "script")}
_ALTERNATIVE = re.compile(r"""\salttext\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_ANNOTATION = re.compile(r"<annotation\b([^<>]*)>", re.IGNORECASE)
_END_OF_ANNOTATION = re.compile(r"</annotation", re.IGNORECASE)
_TEX = re.compile(r"(?:application/x-|text/|math/)(?:la)?tex", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_DISPLAY = re.compile(r"\{\\(?:display|text)style\s++(.*)\}", re.DOTALL)


def formulas_in_words(markup: str) -> str:
    """The markup with MathML and TeX scripts replaced by text.

    The second copy of a formula, which KaTeX draws with spans, is removed.
    """
    pieces: list[str] = []
    at = 0
    torn: set[str] = set()
    for start in _START.finditer(markup):
        name = start[1].lower()
        if start.start() < at or name in torn or not _is_formula(name, start[2]):
            continue
        inside = _end_of_span(markup, start.end()) if name == "span" else _end_of(name, markup, start.end())
        if inside is None:
            torn.add(name)
            continue
        pieces.append(markup[at : start.start()])
        content = markup[start.end() : inside[0]]
        match name:
            case "math":
                pieces.append(_words_of(start[2], content))
            case "script":
                pieces.append(escape(content.strip(), quote=False))
        at = inside[1]
    pieces.append(markup[at:])
    return "".join(pieces)


def _is_formula(name: str, attributes: str) -> bool:
    match name:
        case "math":
            return True
        case "script":
            return _TEX.search(attributes) is not None
        case _:
            return "katex-html" in attributes


def _end_of(name: str, markup: str, at: int) -> tuple[int, int] | None:
    """Where the element's content and the element itself end."""
    end = _ENDS[name].search(markup, at)
    return None if end is None else end.span()


def _end_of_span(markup: str, at: int) -> tuple[int, int] | None:
    depth = 1
    for tag in _SPAN.finditer(markup, at):
        depth += -1 if len(tag[1]) > 0 else 1
        if depth == 0:
            end = markup.find(">", tag.end())
            return (tag.start(), len(markup) if end < 0 else end + 1)
    return None


def _words_of(attributes: str, content: str) -> str:
    """The formula's source if the markup keeps it, else its letters and signs."""
    for annotation in _ANNOTATION.finditer(content):
        if _TEX.search(annotation[1]) is not None:
            end = _END_OF_ANNOTATION.search(content, annotation.end())
            return _bare(content[annotation.end() : len(content) if end is None else end.start()])
    alternative = _ALTERNATIVE.search(attributes)
    if alternative is not None:
        return _bare(alternative[1] or alternative[2] or "")
    first = _ANNOTATION.search(content)
    drawn = content if first is None else content[: first.start()]
    return "".join(_TAG.sub("", drawn).split())


def _bare(tex: str) -> str:
    words = _TAG.sub("", tex).strip()
    display = _DISPLAY.fullmatch(words)
    return words if display is None else display[1].strip()
