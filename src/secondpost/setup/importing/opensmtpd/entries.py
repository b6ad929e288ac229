"""Entries of our configuration: a route with its login, and how long mail is kept."""

from secondpost.setup.answers import Entry, toml_text
from secondpost.setup.importing.opensmtpd.targets import RelayTarget

PASSWORDS = "passwords"  # a folder beside the new file


def route_entries(target: RelayTarget, secrets: dict[str, str]) -> list[Entry]:
    """The host of a route, its TLS and login; the password goes into a file of its own."""
    entries = [Entry("host", toml_text(str(target.host)))]
    if target.username is not None and target.password is not None:
        name = f"{PASSWORDS}/{target.host.host}"
        while name in secrets and secrets[name] != f"{target.password}\n":
            name = f"{name}-2"
        secrets[name] = f"{target.password}\n"
        entries += [Entry("username", toml_text(target.username)), Entry("password_file", toml_text(name))]
    if target.tls is not None:
        entries.append(Entry("tls", toml_text(target.tls.value)))
    return entries


SECONDS_PER = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
KEEP_SECONDS_LEAST, KEEP_SECONDS_MOST = 3_600, 366 * 86_400


def keep_entry(ttl: str) -> Entry | None:
    """`keep` for a time such as 4d (delaytonum in parse.y), in the bounds that it has; None if it is none."""
    unit = ttl[-1:].lower()
    if unit not in SECONDS_PER or not ttl[:-1].isdigit():
        return None
    seconds = int(ttl[:-1]) * SECONDS_PER[unit]
    seconds = min(max(seconds, KEEP_SECONDS_LEAST), KEEP_SECONDS_MOST)
    for word in ("day", "hour", "minute", "second"):
        count, rest = divmod(seconds, SECONDS_PER[word[0]])
        if rest == 0:
            return Entry("keep", toml_text(f"{count} {word}{'' if count == 1 else 's'}"))
    return None
