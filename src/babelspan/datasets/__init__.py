"""Public data sets: catalogue, downloads, layouts."""
