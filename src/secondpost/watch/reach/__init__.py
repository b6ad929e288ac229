"""Asks from other countries whether the MX addresses can be reached on port 25.

Read in this order: `targets` (which addresses), `globalping`, `atlas`, `ooni` and `register` (what each
source is asked, and what its answer means), `quota` (how often it may be asked), `sources` (the asking),
`verdict` (what the answers of several rounds mean), `rounds` (one round), `words` (what the owner reads).
"""
