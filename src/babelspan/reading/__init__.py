"""From a question and a text to an answer: windows, decoding, answerers."""
