"""The check in a browser page, without installation. ``page`` is the page, `session` what its worker calls.

Nothing in here opens a network connection, and the page's policy forbids every connection.
"""
