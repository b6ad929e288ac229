"""The RFCs as state machines without I/O: bytes in, events out; answers in, bytes out.

Every core has the same verbs: `receive_data`, `next_event`, `data_to_send`.
"""
