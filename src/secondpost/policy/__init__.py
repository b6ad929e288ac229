"""Station 2: decides about a client and its message at each stage of the SMTP dialogue.

Start with stages: an ordered tuple of decisions for each of connect, hello, mail, rcpt and content.
A decision gets what is known at its stage (known) and returns a verdict (mail/verdict), or a
generator that asks for what else it needs (mail/questions). The decisions are in caller, room,
offered, recipient, company, unverified and loop; domains knows which domains and recipients we take
mail for, rate limits by network.
"""
