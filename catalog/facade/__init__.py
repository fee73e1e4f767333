"""The methods of Catalog, one theme a file; catalog.catalog puts them together."""
