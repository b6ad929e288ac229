"""Questions between roles over Unix sockets: deliver answers for recipients, fetch for feeds."""
