"""What the pages know and can do. Each runs under plain asyncio, without a window."""
