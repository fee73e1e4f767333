"""Price series: files of bars, checked, kept beside the catalog, and read as arrays."""
