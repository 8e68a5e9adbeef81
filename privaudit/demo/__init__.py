"""A virtual phone on loopback: what it holds, how Android prints it, and the wire by which ADB reaches it."""
