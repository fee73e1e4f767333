"""Charts of what strategies earned: rows become a picture, or a description of one for a page."""
