"""See which lending apps on an Android phone can read contacts, SMS and the call log, and how to stop them."""

__version__ = "1.1.0"
