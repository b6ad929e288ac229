"""Where a distribution says what is installed."""

DPKG_STATUS, OS_RELEASE = "/var/lib/dpkg/status", "/etc/os-release"
PACKAGE_FILES = (DPKG_STATUS, OS_RELEASE)
