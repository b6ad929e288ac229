"""A small internet on loopback, and the story of a blocked primary told on it.

Everything but Secondpost is played here: names (a tiny DNS), networks (with a border that a regulator can
close), senders (mail servers with a queue), primary (the provider's mail server). service runs the real
`secondpost serve` beside them. story has the acts; evidence checks every claim; telling prints.

What plays other people's machines shares no code with what it is there to judge.
"""
