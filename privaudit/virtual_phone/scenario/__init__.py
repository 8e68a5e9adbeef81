"""What is on a virtual phone: its model, and the reader of the TOML that tells it."""
