"""Other machines in memory: network, names, sending servers, primaries, the blog."""
