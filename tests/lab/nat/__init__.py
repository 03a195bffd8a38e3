"""A street with a NAT box in it, and STUN servers on the internet."""
