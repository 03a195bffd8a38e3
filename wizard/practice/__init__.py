"""A practice network: real sockets on loopback that can be broken and mended."""
