"""Shared by all tests: where the real data is, and a browser."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

import chromium

settings.register_profile("untimed", deadline=None)  # tests are never timed
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def real_data():
    """The folder of public data sets; tests that read it are skipped where there is none."""
    folder = Path(os.environ.get("BABELSPAN_DATA", "not set"))
    if not folder.is_dir():
        pytest.skip(f"needs the public data sets; BABELSPAN_DATA is {str(folder)!r}")
    return folder


@pytest.fixture(scope="session")
def ray_address():
    """Of a running Ray: starting one takes longer than a test of what runs on it.

    Jobs of this process use it as they are; a program that a test starts finds it by `RAY_ADDRESS`.
    """
    ray = pytest.importorskip("ray", reason="takes the extra `cluster`")
    started = ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield started.address_info["address"]
    ray.shutdown()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A running Chromium; tests that open pages are skipped where there is none."""
    if chromium.binary() is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    started = chromium.Chromium(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()
