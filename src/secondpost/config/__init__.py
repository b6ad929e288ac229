"""One tree of frozen records from one TOML file (design §5).

records is the tree; reading makes it, or tells every fault at once, each with key, line and reason;
warnings tells what is allowed and still worth a word; finding says which file is meant.

Read in this order: keys, faults, positions, syntax, section; the forms of values: forms, addresses,
grammars, files, recipients; then tables, agreement, reading. Nothing here is global: the tree is handed on by
constructors.
"""
