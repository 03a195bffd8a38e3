"""What is unsafe about a TURN server, and the exact change that mends it."""
