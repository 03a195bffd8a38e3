"""A diagnosis as text, JSON, Markdown and PDF."""
