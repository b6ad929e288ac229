"""What is asked of a caller, in order: room for its message, then each recipient.

A decision is a generator: it yields what it must know (mail/questions) and returns a verdict.
"""
