"""Makes text from outside safe for a terminal, a log or a sentence."""


def printable(text: str) -> str:
    """Escape control characters, line ends and characters that change the text's direction."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
