"""The APK file format: ZIP, binary XML, resource table, signing blocks. Knows nothing of phones."""
