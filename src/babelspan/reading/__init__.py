"""Answer questions about texts: windows, decoding, answerers."""
