"""Make what is released: the wheel, the source, the Debian package, man pages and completion."""
