"""Readers of documents: the text, and where in the file each of its characters stands."""
