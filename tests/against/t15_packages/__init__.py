"""The wheel and the Debian package, installed where nothing else is."""
