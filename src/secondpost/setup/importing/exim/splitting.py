"""The pieces of texts that Exim expands: arguments in braces, escapes, the items of lists. Pure."""

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class NotClosed(Exception):
    """A brace is not closed."""


def escaped(text: str, at: int) -> tuple[str, int]:
    r"""A backslash and what it means; all between two `\N` is literal."""
    following = text[at + 1 : at + 2]
    if following == "N":
        end = text.find("\\N", at + 2)
        return (text[at + 2 :], len(text)) if end < 0 else (text[at + 2 : end], end + 2)
    return _ESCAPES.get(following, following), at + 2


def closing(text: str, at: int) -> int:
    """Where the brace that opens at `at` is closed. Raises NotClosed if it is not."""
    depth, place = 0, at
    while place < len(text):
        one = text[place]
        if one == "\\":
            _, place = escaped(text, place)
            continue
        depth += (one == "{") - (one == "}")
        if depth == 0:
            return place
        place += 1
    raise NotClosed


def braced_up_to(text: str, at: int, most: int) -> tuple[list[str], int]:
    arguments = list[str]()
    while len(arguments) < most:
        while at < len(text) and text[at].isspace():
            at += 1
        if text.startswith("{", at):
            end = closing(text, at)
            arguments.append(text[at + 1 : end])
            at = end + 1
        elif text.startswith("fail", at):
            arguments.append("fail")
            at += 4
        else:
            break
    return arguments, at


def braced(text: str, at: int) -> list[str]:
    """The texts in braces from `at` on, and the word `fail`."""
    return braced_up_to(text, at, 99)[0]


def split_braces(text: str) -> list[str]:
    return braced(text, 0)


def split_list(text: str) -> list[str]:
    """The items of a list (§6, "List construction"): `<;` changes the colon, twice is one inside."""
    separator, text = ":", text.strip()
    if len(text) > 1 and text[0] == "<" and not text[1].isalnum() and not text[1].isspace():
        separator, text = text[1], text[2:]
    kept = text.replace(separator * 2, "\0")
    return [one.replace("\0", separator).strip() for one in kept.split(separator)]
