"""The catalog in a browser: pages over it, served on this machine alone."""
