"""No translation: each text as it is. `copy` is a control for what reads translations."""

from collections.abc import Sequence

from babelspan.types import ConfigError


class Copy:
    """A translator that gives back what it gets, tags included."""

    identity = "copy"

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """The texts as they are."""
        return list(texts)


def translator(argument: str) -> Copy:
    """The translator.

    Raises:
        ConfigError: if there is an argument.
    """
    if argument:
        raise ConfigError(f"the translator copy takes no argument, got {argument!r}")
    return Copy()
