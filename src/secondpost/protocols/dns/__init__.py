"""The DNS resolver's rules: how a name is looked up, and how long an answer is cached."""
