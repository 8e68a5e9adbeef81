"""Revoking what apps can read: steps for people, commands for the cable. The only code that may change a phone."""
