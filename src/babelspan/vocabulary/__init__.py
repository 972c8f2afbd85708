"""New vocabularies for an encoder: a tokenizer trained on texts, and initial embeddings."""
