"""Configuration: one TOML file becomes one tree of frozen records (design §5).

`records` is the tree, with the description of each key beside its field; `reading` makes it, or
reports every fault at once with key, line and reason; `warnings` reports what is allowed but
doubtful; `finding` locates the file.

Read in this order: key; the forms of values: forms, addresses, grammars, values; records, keys;
faults, statements, positions, syntax, section, files, recipients; then tables, agreement, reading. What
brings an older file to today's: versions, older; and its text: blocks, moved_lines, moved_inline,
migrating. Nothing is global: constructors pass the tree on.
"""
