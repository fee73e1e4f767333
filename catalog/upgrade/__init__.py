"""Traces of older generations, written anew in our own format."""
