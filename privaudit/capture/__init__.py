"""Asking a phone, and reading what was saved of one. A live phone is always a capture first."""
