"""An ADB daemon on loopback: the wire, who may connect, and the services behind it."""
