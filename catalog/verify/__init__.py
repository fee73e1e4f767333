"""Whether files, packs and catalog are still true to each other, and what can be mended."""
