"""The seam: time, dice, network, names, fetching, threads and the disk come in by the constructor.

ports says what a station may expect; asking drives a generator that yields questions; the real_*
modules are the real things, which only app may import. simulation/ has the others.
"""
