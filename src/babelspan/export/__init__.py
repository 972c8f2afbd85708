"""Export of readers, so that they run without PyTorch."""
