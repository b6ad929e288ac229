"""Lists of words as Postfix splits them: at white space and commas, but not within braces. Pure."""

from collections.abc import Iterator

_SEPARATORS = frozenset(", \t\r\n")


def words(text: str) -> tuple[str, ...]:
    """The words of a list; one in braces is a single word and keeps them."""
    return tuple(_words(text))


def _words(text: str) -> Iterator[str]:
    start, depth = -1, 0
    for at, character in enumerate(text):
        if character in _SEPARATORS and depth == 0:
            if start >= 0:
                yield text[start:at]
            start = -1
            continue
        if start < 0:
            start = at
        if character == "{":
            depth += 1
        elif character == "}" and depth > 0:
            depth -= 1
    if start >= 0:
        yield text[start:]


def unbraced(word: str) -> str:
    """What stands in a pair of braces, or the word itself."""
    return word[1:-1].strip() if word.startswith("{") and word.endswith("}") else word


def closing(text: str, at: int) -> int:
    """The place of the bracket that closes the one at `at`; the end of the text if none does."""
    opened, closed = text[at], {"{": "}", "(": ")"}[text[at]]
    depth = 0
    for place in range(at, len(text)):
        if text[place] == opened:
            depth += 1
        elif text[place] == closed:
            depth -= 1
            if depth == 0:
                return place
    return len(text)
