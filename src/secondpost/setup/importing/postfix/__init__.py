"""Postfix's configuration, read and carried over. Pure but for the files that it asks a port for.

statements   the lines of main.cf, or of the output of postconf -n
settings     a parameter's value, with $names expanded and Postfix's defaults
services     master.cf: which programs listen and deliver, and their own parameters
words        lists of words, in which braces and quotation marks keep words together
tables       lookup tables: hash: and its like, regexp:, cidr:, inline:, static: …
patterns     regular expressions of tables, and the addresses that one names
names        lists of domains such as relay_domains, with negation and parent domains
policy       the answer that a stranger got to RCPT: access lists and known recipients
ways         where mail for a domain went: transport_maps, relayhost
ledger       what became of each line
remarks      what is said of parameters that no other module reads
machine      name, addresses, certificate and limits
domains      a [[backup]] for each domain that strangers could send mail to
reading      all of it in order
"""
