"""Postfix's configuration, read and carried over. Pure but for the files that it asks a port for.

What its files say:
statements    the lines of main.cf, or of the output of postconf -n
settings      a parameter's value, with $names expanded and Postfix's defaults
services      master.cf: which programs listen and deliver, and their own parameters
words         lists of words, in which braces keep words together
tables        lookup tables: hash: and its like, regexp:, cidr:, inline:, static: …
patterns      regular expressions and networks of tables, and the addresses that one names
lookups       the keys under which an address, a domain or a client is looked up
names         lists of domains such as relay_domains, with negation and parent domains
restrictions  lists of restrictions, as steps
amounts       times and numbers

What Postfix did:
doors         the services on which strangers could deliver
policy        the answer that a stranger got to RCPT
recipients    which addresses of a domain a stranger could write to
ways          where mail for a domain went

What becomes of it:
domains, recipient_answers, logins, limits    a [[backup]] and [[route]] for each domain
machine                                       the rest of our file
ledger, remarks, checks                       the report
reading                                       all of it in order
"""
