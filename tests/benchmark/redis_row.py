"""redis-server as a row: the server runs under the tool, redis-benchmark beside it asks for a fixed number of requests.

The server listens on a socket in the run's directory only, so that runs neither meet other servers nor each other.
"""

import re
import subprocess
import time

SOCKET = "redis.sock"
_TESTS = ("set", "get", "incr", "lpush", "hset", "zadd")
_START_LIMIT_S = 60
_CLIENT_LIMIT_S = 240


def argv():
    return ["redis-server", "--port", "0", "--unixsocket", SOCKET, "--save", "", "--appendonly", "no", "--daemonize", "no",
            "--logfile", "/dev/null"]


def client(requests):
    """The client of a row: called with the running process and its directory, gives the wall time of the requests and what
    stands for the server's output."""

    def work(process, folder):
        try:
            _await_server(process, folder)
            start = time.monotonic()
            _run(["redis-benchmark", "-s", SOCKET, "-q", "-n", str(requests), "-r", "10000", "-d", "64", "-c", "20",
                  "-t", ",".join(_TESTS)], folder)
            wall = time.monotonic() - start
            stats = _ask(folder, "info", "commandstats")
            length = _ask(folder, "llen", "mylist")
            _ask(folder, "shutdown", "nosave")
        finally:
            (folder / SOCKET).unlink(missing_ok=True)
        calls = [f"{name} {calls}" for name, calls in re.findall(r"cmdstat_(\w+):calls=(\d+)", stats) if name in _TESTS]
        return wall, "\n".join([*sorted(calls), f"mylist {length.strip()}", ""]).encode()

    return work


def _run(command, folder):
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=_CLIENT_LIMIT_S).stdout


def _ask(folder, *words):
    return _run(["redis-cli", "-s", SOCKET, *words], folder)


def _await_server(process, folder):
    """Returns when it answers, or ended, or the time is over: then no answer will come and the run counts as failed."""
    limit = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        if (folder / SOCKET).exists() and _ask(folder, "ping").startswith("PONG"):
            return
        time.sleep(0.01)
