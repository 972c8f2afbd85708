"""A reader that doubts: no reader in the package was taught to say "no answer"."""

from babelspan.seams import Logits


class Doubtful:
    """An engine around an engine whose windows say "no answer" the louder.

    Args:
        engine: that reads.
        by: what "no answer" gets more, in nats.
    """

    def __init__(self, engine, by):
        self.engine, self.by = engine, by
        self.limits, self.windows = engine.limits, engine.windows

    def read(self, windows):
        for logits in self.engine.read(windows):
            yield Logits(*(self._doubted(of_kind) for of_kind in logits))

    def _doubted(self, logits):
        raised = logits.copy()
        raised[0] += self.by / 2
        return raised
