"""Reports of an evaluation: JSON, CSV, a heat map, and a page with every question."""
