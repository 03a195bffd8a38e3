"""What a packet filter does with a packet, whatever its language: pure semantics for the products that filter."""
