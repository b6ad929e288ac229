"""What attacks on mail servers look like: the rules as data, and pure matching.

rules is the table, rule what one of them says. matching finds the rules that a line, an address or a
header fits, with a quick look first, so that ordinary mail costs next to nothing.
"""
