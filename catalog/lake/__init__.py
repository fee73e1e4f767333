"""A published lake: plain Parquet of what a catalog knows, which any engine reads."""
