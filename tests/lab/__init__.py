"""Network namespaces as real networks: a lab in which hops are broken on purpose."""
