"""The RFCs as state machines without I/O: bytes in, events out; answers in, bytes out.

The cores share two methods: `feed` takes bytes and yields the events in them, `data_to_send`
returns the bytes to send.
"""
