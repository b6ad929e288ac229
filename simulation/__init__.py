"""The simulation: a network in memory, a virtual clock, and a disk that loses what was not synced.

Not shipped. Tests, seeded days and crash suites run the production code in it. `day` runs one day:
`scenario` draws its events from a seed, `service` runs our roles, internet/, disk/ and people/ play
everything else, and `invariants` check the result.
"""
