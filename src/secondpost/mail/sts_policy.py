"""The MTA-STS policies that this server publishes for its domains: their mode, and their files.

The deliver role, which asks DNS for the domains' mail hosts, writes them; the web role serves them.
"""

from enum import StrEnum

from secondpost.mail.address import Domain
from secondpost.mail.store_rooms import StoreRoom


class StsMode(StrEnum):
    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


def policy_file(domain: Domain) -> str:
    """Relative to the store. A domain of the configuration has no character that leads elsewhere."""
    return f"{StoreRoom.POLICIES.folder}/{domain}.txt"
