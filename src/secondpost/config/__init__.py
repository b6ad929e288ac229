"""One tree of frozen records from one TOML file (design §5).

records is the tree; reading makes it and tells every fault at once, each with key, line and reason;
finding says which file is meant. Nothing here is global: the tree is handed on by constructors.
"""
