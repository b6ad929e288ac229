"""The names of the old machine itself: not backup domains, and they need no primary. Pure."""

# Follows a name or "it".
NEEDS_NO_BACKUP = (
    "is a name of the machine itself and needs no [[backup]]: mail to postmaster and abuse at this server's "
    "own name goes to `owner`, and other mail to it is refused"
)


def is_own_name(name: str, hostname: str) -> bool:
    """`hostname`: the full name of the old machine; empty if it is not known."""
    name = name.lower().rstrip(".")
    return name.partition(".")[0] == "localhost" or (len(name) > 0 and name == hostname.lower())
