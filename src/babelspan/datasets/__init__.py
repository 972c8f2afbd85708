"""The field's data sets: catalogue, downloads, layouts."""
