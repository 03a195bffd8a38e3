"""The path as a picture, and the ports as strips."""
