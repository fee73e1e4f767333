"""Strategies beside each other: ranked, correlated, and the same ones over longer ranges."""
