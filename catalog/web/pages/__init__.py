"""The pages, one theme a file: what an address asks for, and the rows that answer it."""
