"""Station 1: one client's bytes come in, a synced message and its 250 go out.

listener counts the callers and lets them in; conversation leads one of them through the protocol, asks
policy, keeps the body and hands the whole to the spool; body streams what is large to a file; trace has
the one Received line; knowledge knows recipients.
"""
