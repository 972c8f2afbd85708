"""New vocabularies for an encoder: a tokenizer from texts, and vectors to start from."""
