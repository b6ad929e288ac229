"""A small internet on loopback, and a story told on it: a blocked primary, a blackout, a newsletter.

Everything but Secondpost is played here: names (a tiny DNS), networks (with a border that a regulator can
close), senders (mail servers with a queue), mailserver (the provider's, and those of the readers), blog (a
web server with a feed), browser and readers (who sign up, confirm and leave). service runs the real
`secondpost serve` beside them. The acts are in act_block, act_blackout and act_newsletter; story plays them,
evidence, witness, crowd and signatures check every claim, telling prints.

What plays other people's machines shares no code with what it is there to judge.
"""
