"""Declared grids of parameters: reading them, and what of them has been computed."""
