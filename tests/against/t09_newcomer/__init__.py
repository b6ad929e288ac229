"""From an empty machine to both jobs: the commands of docs/guide.md, typed in a small internet."""
