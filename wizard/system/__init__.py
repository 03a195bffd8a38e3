"""This computer: keyring, interfaces, listening sockets."""
