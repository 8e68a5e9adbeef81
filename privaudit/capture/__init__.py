"""Collect a capture from a phone, or read a saved one. A live phone is always captured first."""
