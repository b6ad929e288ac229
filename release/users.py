"""`python -m release.users` prints the users and groups of the service, for the package to make."""

from secondpost.mail.store_rooms import ROLES
from secondpost.setup.unit_users import users_file

if __name__ == "__main__":
    # The name that `user` has in a configuration that does not set it.
    print(users_file("secondpost", ROLES).text, end="")
