"""Apertium, over the stream format of its programs."""

from babelspan.translators.apertium.pipeline import translator as translator
