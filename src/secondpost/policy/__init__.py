"""Station 2: what is decided about a caller and its message, stage by stage.

Read stages first: an ordered tuple of decisions for each of connect, hello, mail, rcpt and content. A
decision is a generator: it gets what is known at its stage (known), yields what it must ask (mail/questions)
and returns a verdict (mail/verdict). caller, room, offered, recipient, company, unverified and loop decide;
domains has whom we take mail for, rate bounds by network.
"""
