"""Windows, decoding and answering, in numpy; serves training, evaluation and people who ask."""
