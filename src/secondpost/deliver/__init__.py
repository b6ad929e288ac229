"""Station 5: takes what is due out of the spool and to the next server, and writes down what came of it.

loop finds the sites that have mail due and sees to the ones that are down; places says how many of them
are worked off at once; site works one of them off under its lease; sorting finds out which rows are its
own; pace says how many connections it may have, and entrances how many may lead to one address; outside
speaks SMTP to one host; probe asks a host whether it takes mail again; settling writes outcomes down until
they are durable.
"""
