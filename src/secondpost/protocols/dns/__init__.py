"""Questions to the DNS: how a name is looked up, and how long an answer is kept."""
