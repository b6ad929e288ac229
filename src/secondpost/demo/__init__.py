"""A demo on loopback that tells a story: a blocked primary, a blackout, a newsletter.

Everything except Secondpost is simulated here: names (a tiny DNS), networks (with a border that can
be closed), senders (mail servers with a queue), mailserver (the provider's and the readers'), blog
(a web server with a feed), browser and readers (who sign up, confirm and leave). service runs the
real `secondpost serve`. The acts are act_block, act_blackout and act_newsletter; story runs them,
evidence, witness, crowd and signatures check every claim, telling prints. The simulated machines
share no code with Secondpost.
"""
