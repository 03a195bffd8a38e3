"""What the user has: the path, the ports, the places that tests come from."""
