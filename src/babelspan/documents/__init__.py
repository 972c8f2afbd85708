"""Readers of documents: they give the text, and the place in the file of each character."""
