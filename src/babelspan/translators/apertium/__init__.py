"""The translator `apertium`, which uses the stream format of Apertium's programs."""

from babelspan.translators.apertium.pipeline import translator as translator
