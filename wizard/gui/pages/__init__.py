"""The pages: each connects and lays out; what it knows is in its view model."""
