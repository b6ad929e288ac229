"""Which roles read the files that the configuration names."""

CERTIFICATE_READERS = frozenset({"receive", "web"})
PASSWORD_READERS = frozenset({"deliver"})
LIST_READERS = frozenset({"receive"})
NETWORKS_READERS = frozenset({"deliver"})
ACME_READERS = frozenset({"fetch"})
ADVISORY_READERS = frozenset({"deliver"})
REACH_READERS = frozenset({"fetch"})
