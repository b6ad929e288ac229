"""The real ports: sockets, DNS, TLS, HTTP, disk, keys, threads, clock and dice.

Only the wiring imports these; simulation/ has the others.
"""
