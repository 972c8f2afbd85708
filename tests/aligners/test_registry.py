"""Aligners by name."""

import pytest

from babelspan.aligners import Options, load_aligner, names
from babelspan.types import ConfigError

NOTHING = Options(bitext=list)


def test_the_folder_is_the_registry():
    assert names() == ["awesome", "ibm1"]


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("ibm2", {}, "unknown aligner 'ibm2'; did you mean 'ibm1'"),
        ("ibm1:x", {}, "ibm1 takes no argument and no layer, got 'x' and None"),
        ("ibm1", {"layer": 3}, "no layer, got '' and 3"),
        ("ibm1", {"threshold": 1.0}, r"threshold must be in \[0, 1\), got 1.0"),
        ("awesome", {}, "awesome needs a reader or an encoder: awesome:default"),
    ],
)
def test_what_cannot_be_is_told(spec, options, message):
    with pytest.raises(ConfigError, match=message):
        load_aligner(spec, Options(bitext=list, **options))
