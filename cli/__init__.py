"""The `graphway` command: parses arguments, calls the rooms, prints."""
