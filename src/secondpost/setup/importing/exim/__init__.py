"""An Exim's configuration, read as Exim reads it, and asked what it does with a stranger's mail.

`lines` has macros replaced, conditions decided and files included; `debian` makes the file that Debian's
tools make. `statements` cuts it into options, lists, ACLs and drivers; `expansion` (with `splitting`),
`tables` and `matching` work out texts, look-ups and lists; `acl` answers a recipient, and `routing` (with
`route_lists`) finds its way. `domains` asks both about every domain, `backups` makes the new file's
domains of the answers, `settings` and `smart_host` the rest. `fates`, `acl_report` and `remarks` say what
became of each line, and `reading` puts all together.
"""
