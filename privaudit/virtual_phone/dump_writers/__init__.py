"""A virtual phone in Android's own text formats. Written from Android's source, never from our parsers."""
