"""python -m secondpost."""

from secondpost.cli.main import main

if __name__ == "__main__":
    main()
