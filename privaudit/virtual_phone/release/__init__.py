"""What differs between the releases of Android that the virtual phone plays: constants and the layout of dumps."""
