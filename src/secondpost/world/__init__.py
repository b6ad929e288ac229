"""The seam: time, dice, network, names, fetching, threads and the disk come in by the constructor.

ports says what a station may expect; asking drives a generator that yields questions; sockets/ carries
questions between roles; real/ holds the real things, which only the wiring may import.
"""
