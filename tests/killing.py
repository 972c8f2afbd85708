"""Kills a job at random moments until it has really been killed as often as wanted."""

import shutil
import subprocess


def killed(start, out, *, times, within, rng):
    """`kill -9` while a process works on the folder `out`; what is left there is resumed.

    Whoever is faster, the job or the kill, the number of kills is the same: where the job ends
    first, its folder is removed, and the job begins again with less time until it is killed.

    Args:
        start: begins or resumes the job; gives its process, as `subprocess.Popen` does.
        out: the folder that it writes.
        times: how often it is killed.
        within: seconds that the whole job takes, about.
        rng: draws the moments.
    """
    while times:
        process = start()
        try:
            code = process.wait(timeout=within * rng.uniform(0.3, 0.9))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            times -= 1
            continue
        assert code == 0
        shutil.rmtree(out)
        within *= 0.7
