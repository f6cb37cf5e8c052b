"""Runs real programs with and without mallocspy: the same output and exit status, and reports that add up.

    real_programs.py BUILD_FOLDER [TEST...]

MALLOCSPY_REPEATS says how often each is run (default 1).
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from observed_run import Build, Observed, accounting_faults, checked_run, environment, every_report
from redis_server import NEEDED, RedisServer

REPEATS = int(os.environ.get("MALLOCSPY_REPEATS", "1"))

PYTHON_SCRIPT = """
import collections, json, re
words = ["word%d" % (i % 977) for i in range(20000)]
counts = collections.Counter(words)
text = json.dumps({word: [count, {"half": count / 2}] for word, count in counts.items()})
back = json.loads(text)
print(len(text), sum(value[0] for value in back.values()), len(re.findall(r"w[a-z]+9+", text)))
print(sorted(back, key=lambda word: (back[word][0], word))[:5])
"""

PERL_SCRIPT = """
my %seen; my $text = "";
for my $i (1..20000) { my $key = "key" . ($i * 7919 % 4099); $seen{$key}++; $text .= "$key,"; }
my @parts = split /,/, $text; my $long = join "", grep { length($_) > 6 } @parts;
$long =~ s/key(\\d)/<$1>/g; printf "%d %d %d\\n", scalar(keys %seen), scalar(@parts), length($long);
print join(" ", (sort keys %seen)[0..4]), "\\n";
"""

BASH_SCRIPT = """
set -u
for i in $(seq 1 15); do
  echo "line $i" | sed "s/line/row/" | tr a-z A-Z
  printf "%s\\n" c b a | sort | head -n 2 | wc -l
  (exit "$((i % 3))"); echo "status $?"
  expr "$i" \\* 7; basename "/a/b/c$i"; date -u -d "@$i" +%s
done
value=$(echo nested "$(echo "$(echo deep)")"); echo "$value" "${#value}"
trap "echo trapped" EXIT
false || exit 3
"""

SQL = """
create table item(id integer primary key, name text, size real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into item select i, printf('item-%05d', i * 7919 % 20011), i * 0.5 from n;
create index by_name on item(name);
select count(*), sum(size), min(name), max(name) from item;
select substr(name, 1, 7) as part, count(*) from item group by part order by part limit 5;
delete from item where id % 3 = 0; vacuum;
select count(*) from item a join item b on a.name = b.name;
select group_concat(id) from (select id from item order by name limit 10);
"""

REGEX_SOURCE = """
#include <regex>
#include <string>
bool Matches(const std::string& text) { return std::regex_match(text, std::regex("(a|b)*c[0-9]+")); }
"""


def needs(*programs):
    missing = [program for program in programs if shutil.which(program) is None]
    return unittest.skipIf(missing, f"not installed: {' '.join(missing)} (tools/dev setup)")


class RealProgramsTest(unittest.TestCase):
    build = None
    maxDiff = 4000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="real_programs."))
        self.addCleanup(shutil.rmtree, self.folder)

    def check(self, program, least_processes=1, result=lambda: None, **variables):
        """`result` gives what the program left behind, to be compared as well."""
        variables.setdefault("LC_ALL", "C.UTF-8")
        options = {"env": environment(**variables), "cwd": self.folder}
        plain = Observed(program, **options)
        plain_result = result()
        for _ in range(REPEATS):
            seen, report = checked_run(self.build, ["--fail-on=none"], program, **options)
            self.assertEqual(seen.seen, plain.seen)
            self.assertEqual(result(), plain_result)
            self.check_report(report, least_processes)

    def check_report(self, report, least_processes=1):
        self.assertIsNotNone(report)
        self.assertEqual([], list(accounting_faults(report)))
        self.assertGreaterEqual(len(every_report(report)), least_processes)
        for process in every_report(report):
            name = f"{process['process']['exe']} ({process['process']['pid']})"
            self.assertTrue(process["process"]["interposed"], name)
            self.assertEqual(process["errors"], [], name)
            self.assertGreater(process["totals"]["allocations"], 0, name)

    @needs("jq")
    def test_jq(self):
        data = [{"id": i, "name": f"name {i % 101}", "tags": [str(i), "x" * (i % 50)]} for i in range(4000)]
        (self.folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
        self.check(["jq", "-c", "group_by(.name) | map({name: .[0].name, n: length, tags: map(.tags[1]) | add | length})", "data.json"])
        self.check(["jq", ".[0].none.none | error", "data.json"])

    def test_python(self):
        self.check(["python3", "-c", PYTHON_SCRIPT], PYTHONMALLOC="malloc", PYTHONHASHSEED="0")

    @needs("sqlite3")
    def test_sqlite(self):
        script = self.folder / "script.sql"
        script.write_text(SQL, encoding="utf-8")
        self.check(["sqlite3", "-batch", ":memory:", ".read script.sql"])

    @needs("git")
    def test_git(self):
        variables = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
                     (("NAME", "A"), ("EMAIL", "a@example.com"), ("DATE", "1700000000 +0000"))}
        variables |= {"GIT_CONFIG_NOSYSTEM": "1", "HOME": str(self.folder), "GIT_PAGER": "cat"}
        env = environment(**variables)
        for step in (["init", "-q", "tree"], ["-C", "tree", "config", "gc.auto", "0"]):
            subprocess.run(["git", *step], cwd=self.folder, env=env, check=True, capture_output=True)
        for number in range(5):
            for name in range(10):
                (self.folder / f"tree/file{name}").write_text(f"{name} {number}\n" * 200, encoding="utf-8")
            for step in (["add", "-A"], ["commit", "-q", "-m", f"Step {number}"]):
                subprocess.run(["git", "-C", "tree", *step], cwd=self.folder, env=env, check=True, capture_output=True)
        self.check(["git", "-C", "tree", "log", "-p", "--stat"], **variables)
        self.check(["git", "-C", "tree", "repack", "-adfq"], least_processes=2, **variables)
        self.check(["git", "-C", "tree", "fsck", "--full"], **variables)

    @needs("perl")
    def test_perl(self):
        self.check(["perl", "-e", PERL_SCRIPT], PERL_HASH_SEED="0")

    @needs("bash")
    def test_bash_script_of_many_commands(self):
        self.check(["bash", "-c", BASH_SCRIPT], least_processes=100)

    @needs("clang++")
    def test_clang(self):
        (self.folder / "matches.cc").write_text(REGEX_SOURCE, encoding="utf-8")
        self.check(["clang++", "-O1", "-c", "matches.cc", "-o", "matches.o"], least_processes=1,
                   result=lambda: (self.folder / "matches.o").read_bytes())

    @needs(*NEEDED)
    def test_redis_under_its_benchmark(self):
        plain = self.serve([])
        for _ in range(REPEATS):
            report_file = self.folder / "report.json"
            served = self.serve([self.build.command, "run", "--fail-on=none", "--format=json", f"--output={report_file}", "--"])
            self.assertEqual(served, plain)
            self.check_report(json.loads(report_file.read_text(encoding="utf-8")))

    def serve(self, wrapper):
        """A server's output, status and answers, after a benchmark has used it."""
        with RedisServer(self.folder, wrapper) as server:
            server.load("-n", "3000", "-c", "20", "-q", "-t", "set,get,incr,lpush,lpop,sadd,hset,zadd,lrange_100,mset")
            answers = [server.ask(*command) for command in (["set", "k", "v" * 100], ["get", "k"], ["append", "k", "w"], ["strlen", "k"],
                                                            ["get", "counter:__rand_int__"], ["flushall"], ["dbsize"])]
            return answers, server.stop()


if __name__ == "__main__":
    RealProgramsTest.build = Build(sys.argv.pop(1))
    unittest.main()
