"""The router: what it says when it is asked, and what to enter on its own pages."""
