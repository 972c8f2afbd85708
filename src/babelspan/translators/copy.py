"""The translator `copy` returns texts unchanged, as a control for methods with translations."""

from collections.abc import Sequence

from babelspan.types import ConfigError


class Copy:
    """A translator that returns its input unchanged, tags included."""

    identity = "copy"

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """Return the texts unchanged."""
        return list(texts)


def translator(argument: str) -> Copy:
    """Create the translator.

    Raises:
        ConfigError: if there is an argument.
    """
    if argument:
        raise ConfigError(f"the translator copy takes no argument, got {argument!r}")
    return Copy()
