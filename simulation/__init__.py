"""A whole internet in memory, with a clock that leaps, and a disk that forgets what was not synced.

Not shipped: what tests, seeded days and crash suites run the production code in. `day` lives one day:
`scenario` draws it, `service` runs our roles, internet/, disk/ and people/ are the rest of the world, and
`invariants` judge what is left.
"""
