"""redis-server on a socket in a folder of its test."""

import contextlib
import os
import signal
import subprocess
import time

from observed_run import TIMEOUT_SECONDS, environment

NEEDED = ("redis-server", "redis-benchmark", "redis-cli")


class RedisServer:
    """Answers from the beginning of a `with` to its end; `wrapper` is the command that runs it."""

    def __init__(self, folder, wrapper=(), **variables):
        self.socket = folder / "redis.sock"
        self.process = subprocess.Popen(
            [*map(str, wrapper), "redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no",
             "--enable-debug-command", "yes", "--logfile", "redis.log", "--dir", str(folder)],
            cwd=folder, env=environment(**variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True)
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while self._client("ping").stdout != b"PONG\n":
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the server does not answer: {self.process.stderr.read()}")
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.communicate()

    def _client(self, *words, **options):
        return subprocess.run(["redis-cli", "-s", str(self.socket), *words], capture_output=True, check=False, timeout=TIMEOUT_SECONDS, **options)

    def ask(self, *words):
        answer = self._client(*words)
        if answer.returncode != 0:
            raise AssertionError(f"{words}: {answer}")
        return answer.stdout

    def send(self, commands):
        """Many of them, a line each."""
        answer = self._client("--pipe", input="".join(f"{command}\r\n" for command in commands).encode())
        if b"errors: 0" not in answer.stdout:
            raise AssertionError(answer)

    def load(self, *options):
        """redis-benchmark's output."""
        return subprocess.run(["redis-benchmark", "-s", str(self.socket), *options], check=True, capture_output=True,
                              timeout=TIMEOUT_SECONDS).stdout.decode()

    def stop(self):
        """Its output and status."""
        self._client("shutdown", "nosave")
        output = self.process.communicate(timeout=TIMEOUT_SECONDS)
        return output, self.process.returncode

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
