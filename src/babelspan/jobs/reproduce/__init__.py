"""Reproduction of a paper's tables: rows and figures, scales, the work, the tables."""
