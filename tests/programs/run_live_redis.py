"""What is asked of a running redis-server, against what redis knows itself.

    run_live_redis.py BUILD_FOLDER [TEST...]
"""

import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import unittest

from obedient import child_of
from observed_run import TIMEOUT_SECONDS, Build, Observed
from redis_server import NEEDED, RedisServer

KEYS = 20000


@unittest.skipUnless(all(map(shutil.which, NEEDED)), "redis is not installed")
class LiveRedisTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="live_redis."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.report_file = self.folder / "report.json"
        self.server = RedisServer(self.folder, [self.build.command, "run", "--fail-on=none", "--format=json", f"--output={self.report_file}", "--"])
        self.addCleanup(self.server.__exit__)
        self.pid = int(child_of(self.server.process.pid))
        self.server.ask("debug", "populate", str(KEYS), "old")

    def json_of(self, *arguments):
        seen = Observed([self.build.command, *arguments])
        self.assertEqual(seen.status, 0, seen)
        return json.loads(seen.stdout)

    def dump(self, name):
        path = str(self.folder / name)
        seen = Observed([self.build.command, "dump", "-q", "-o", path, str(self.pid)])
        self.assertEqual(seen.status, 0, seen)
        return path

    def live(self):
        totals = self.json_of("top", "--once", "--json", str(self.pid))["totals"]
        return {"blocks": totals["live_blocks"], "bytes": totals["live_bytes"]}

    def test_a_dump_has_the_bytes_that_the_record_has(self):
        for _ in range(20):  # until the same is live before and after: redis has a timer
            live = self.live()
            path = self.dump("x.mspy")
            if self.live() == live:
                break
        else:
            self.fail("redis is never at rest")
        report = self.json_of("report", "--format=json", "--fail-on=none", path)
        self.assertEqual({"blocks": report["totals"]["live_blocks"], "bytes": report["totals"]["live_bytes"]}, live)
        self.assertEqual(self.json_of("explore", "--format=json", path, "blocks top 1")["total"], live)
        self.assertGreater(live["blocks"], 3 * KEYS)

    def test_a_load_between_dumps_is_exactly_what_is_new(self):
        seen = Observed([self.build.command, "mark", str(self.pid), "load"])
        self.assertEqual(seen.status, 0, seen)
        before = self.dump("before.mspy")
        new = 3000
        self.server.send(f"SET fresh:{i:06} {'v' * 100}" for i in range(new))
        self.server.send(f"DEL old:{i}" for i in range(500))
        self.assertEqual(int(self.server.ask("dbsize")), KEYS + new - 500)
        after = self.dump("after.mspy")
        diff = self.json_of("diff", "--fail-on=none", "--format=json", before, after)["heap"]
        made, gone = {}, {}
        for stack in diff["stacks"]:
            functions = [frame["function"] for frame in stack["frames"]]
            if "setKey" in functions and stack["made"]["blocks"]:
                made[functions[functions.index("dbAdd") - 1]] = (stack["made"]["blocks"], stack["made"]["bytes"])
            if "debugCommand" in functions and stack["gone"]["blocks"]:
                gone[functions[1]] = stack["gone"]["blocks"]
        # The key is 12 characters with a header of one byte and a zero.
        self.assertEqual((made.pop("_sdsnewlen", None) or made.pop("sdsdup", None)), (new, new * 14), diff["stacks"])
        self.assertEqual(made.pop("dictAddRaw")[0], new)
        self.assertEqual(made, {})
        self.assertEqual(set(gone.values()), {500}, gone)
        self.assertEqual(len(gone), 3, "key, value and entry")
        chosen = self.json_of("explore", "--format=json", after, "blocks mark>=load function=dbAdd top 1")
        self.assertEqual(chosen["total"]["blocks"], 2 * new)

    def test_a_killed_server_leaves_the_same_stacks(self):
        self.server.load("-n", "2000", "-q", "-t", "set,lpush,hset")
        dumped = self.json_of("report", "--format=json", "--fail-on=none", self.dump("x.mspy"))
        os.kill(self.pid, signal.SIGKILL)
        self.server.process.communicate(timeout=TIMEOUT_SECONDS)
        left = json.loads(self.report_file.read_text(encoding="utf-8"))
        self.assertEqual(left["process"]["exit"], {"signal": signal.SIGKILL.value})

        def by_stack(report):
            found = {}
            for leak in report["leaks"]:
                key = (leak["door"], tuple((frame["module"], frame["offset"]) for frame in leak["frames"]))
                blocks, size = found.get(key, (0, 0))
                found[key] = (blocks + leak["blocks"], size + leak["bytes"])
            return found

        stacks, remains = by_stack(dumped), by_stack(left)
        large = sorted(stacks, key=lambda key: -stacks[key][1])[:20]
        self.assertEqual({key: remains.get(key) for key in large}, {key: stacks[key] for key in large})
        self.assertLess(len(set(stacks) ^ set(remains)), 20, "its timer may have made and freed a few")


if __name__ == "__main__":
    LiveRedisTest.build = Build(sys.argv.pop(1))
    unittest.main()
