"""The contract of the store on PostgreSQL: a server of its own, SQLite's schema in its words, and an
engine.

Not shipped: it proves that the verbs and their queries carry a second engine.
"""
