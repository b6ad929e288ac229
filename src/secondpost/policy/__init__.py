"""Station 2: what is decided about a caller and its message, stage by stage.

Read stages first: an ordered tuple of decisions for each of connect, hello, mail, rcpt and content. A
decision gets what is known at its stage (known) and returns a verdict (mail/verdict), or a generator that
asks what else it must know (mail/questions). caller, room, offered, recipient, company, unverified and loop
decide; domains has whom we take mail for, rate bounds by network.
"""
