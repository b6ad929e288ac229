"""The contract of the store on PostgreSQL: a server, SQLite's schema translated, and an engine.

Not shipped: it proves that the verbs and their queries support a second engine.
"""
