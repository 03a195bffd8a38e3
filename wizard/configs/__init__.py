"""One file per product: reads its configuration, writes its configuration."""
