"""The RFCs as state machines without I/O: bytes in, events out; answers in, bytes out.

Every core has the same verbs: `feed` takes bytes and yields the events in them, `data_to_send` gives the
bytes that are to go out.
"""
