"""The interface to the world: time, randomness, network, DNS, HTTP, threads and the disk.

Stations get these through constructors. ports has the interfaces; asking drives generators that
yield questions; sockets/ carries questions between roles; real/ has the implementations, which only
the wiring may import.
"""
