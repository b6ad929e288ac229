"""The commands, one module per group; each is imported only when it is called for.

main is the entry and the list of commands; command has what all of them share (--config, exit codes);
opening finds configuration and store; choosing is how deliveries are named; documents are what --json
prints; screen is how things look. The verbs themselves belong to the stations.
"""
