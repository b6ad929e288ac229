"""What the roles ask each other over Unix sockets: names and recipients of deliver, feeds of fetch."""
