"""What stands behind the seams: one file each, imported on use."""
