"""Other machines in memory: the network, DNS, sending servers, primaries, the blog."""
