"""Text that came from outside made harmless for a screen, a log or a sentence."""


def printable(text: str) -> str:
    """Control characters, line ends and characters that turn the writing round become escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
