"""Search for the passages of a collection that may answer a question, in any language."""
