"""The program live/obeys.cc, which does what a test tells it, under mallocspy."""

import contextlib
import os
import pathlib
import signal
import subprocess

from observed_run import TIMEOUT_SECONDS, environment


class Obedient:
    """Preloaded or under `mallocspy run`."""

    def __init__(self, build, under_run=(), program=None, **variables):
        program = str(program or build.programs / "obeys")
        variables.setdefault("MALLOCSPY_OPTIONS", "report=none")
        if under_run:
            arguments, variables = [build.command, "run", *under_run, "--", program], environment()
        else:
            arguments, variables = [program], environment(LD_PRELOAD=build.library, **variables)
        self.process = subprocess.Popen(arguments, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, start_new_session=True)
        self.tell("keep 0 0")
        self.pid = int(child_of(self.process.pid)) if under_run else self.process.pid

    def tell(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if answer[:1] != ["ok"]:
            raise AssertionError(f"{order}: {answer} {self.process.stderr.read()}")
        return int(answer[1]) if len(answer) > 1 else None

    def end(self):
        """Its status, and what it said in the end."""
        _, error = self.process.communicate(timeout=TIMEOUT_SECONDS)
        return self.process.returncode, error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


def child_of(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0]
