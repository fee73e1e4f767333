"""What is shared of a catalog: reports in one file, and notebooks."""
