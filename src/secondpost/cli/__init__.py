"""The commands, one module per group, each imported only when called.

`main` is the entry point and the list of commands; `command` has what all share (--config, exit
codes); `opening` finds configuration and store; `choosing` selects deliveries; owner/documents
holds what --json prints; `screen` formats output. The verbs themselves belong to the stations.
"""
