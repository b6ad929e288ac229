"""Where does a delivery go? Pure: destination picks the road, hosts ranks the machines at its end.

The route is computed at each attempt from today's configuration and today's DNS, and never stored.
"""
