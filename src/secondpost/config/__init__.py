"""Configuration: one TOML file becomes one tree of frozen records (design §5).

`records` is the tree; `reading` makes it, or reports every fault at once with key, line and reason;
`warnings` reports what is allowed but doubtful; `finding` locates the file.

Read in this order: keys, faults, statements, positions, syntax, section; the forms of values: forms,
addresses, grammars, files, recipients; then tables, agreement, reading. What rewrites
an older file: versions, older, blocks, moved_lines, moved_inline, migrating. Nothing is global: constructors
pass the tree on.
"""
