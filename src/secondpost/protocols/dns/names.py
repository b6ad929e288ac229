"""Names that DNS can be asked about (RFC 1035 §2.3.4)."""

NAME_CHARACTERS_MAX = 253
LABEL_CHARACTERS_MAX = 63


def is_name(text: str) -> bool:
    """Whether there could be such a name. A backslash would stand for other octets than it shows."""
    return (
        text.isascii()
        and text.isprintable()
        and "\\" not in text
        and len(text) <= NAME_CHARACTERS_MAX
        and all(1 <= len(label) <= LABEL_CHARACTERS_MAX for label in text.split("."))
    )


def is_at_or_below(name: str, domain: str) -> bool:
    """Both in lower case."""
    return name == domain or name.endswith(f".{domain}")
