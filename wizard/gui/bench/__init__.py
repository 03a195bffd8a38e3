"""The bench: STUN and TURN servers tested on their own."""
