"""Statistical word alignment, and dictionaries from word links."""
