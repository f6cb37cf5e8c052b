"""The rows of the benchmark: programs that Debian ships, on inputs made here, and small ones of our own (torture/), which do
little but allocate. Sizes are such that a row takes a third of a second to a second by itself.
"""

import random
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Callable

import redis_row

REAL, TORTURE, START = "real programs", "torture", "start"


@dataclass
class Row:
    name: str
    what: str
    argv: list
    env: dict = field(default_factory=dict)
    group: str = REAL
    client: Callable | None = None  # for a server: what is measured while it runs
    blocks: int | None = None       # live at its peak, where it is known


def _write(path, text):
    path.write_text(text)
    return str(path)


def _true(work, size):
    return ["/bin/true"], {}


def _jq(work, size):
    rng = random.Random(1)
    lines = ",\n".join(
        f'{{"id": {i}, "name": "user {rng.randrange(10**6)}", "tags": ["a{i % 7}", "b{i % 11}"]}}'
        for i in range(size(40000)))
    data = _write(work / "data.json", f"[{lines}]\n")
    return ["jq", "-c", "group_by(.tags[0]) | map({tag: .[0].tags[0], names: map(.name) | unique | length})", data], {}


def _python(work, size):
    script = _write(work / "objects.py", f"""
words = {{}}
for i in range({size(150000)}):
    words.setdefault(str(i % 5003), []).append((i, "item %d" % i))
print(sum(len(v) for v in words.values()), sorted(words)[:3])
""")
    return ["/usr/bin/python3", "-S", "-s", script], {"PYTHONMALLOC": "malloc"}


def _sqlite(work, size):
    script = _write(work / "rows.sql", f"""
create table item(id integer primary key, name text, price integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {size(150000)})
insert into item select i, 'item ' || (i * 7919 % 100003), i * 31 % 997 from n;
create index by_name on item(name);
select price % 10, count(*), min(name), max(name) from item group by 1 order by 1;
select count(distinct name) from item;
""")
    return ["sqlite3", "-batch", ":memory:", f".read {script}"], {}


def _git(work, size):
    repo = work / "repo"
    subprocess.run(["git", "init", "-q", "-b", "main", str(repo)], check=True, stdin=subprocess.DEVNULL)
    rng = random.Random(2)
    parts = []
    for commit in range(size(5000)):
        body = "".join(f"line {rng.randrange(1000)}\n" for _ in range(20))
        message = f"change {commit}\n"
        parts.append(f"commit refs/heads/main\ncommitter A <a@example.org> {1600000000 + commit} +0000\n"
                     f"data {len(message)}\n{message}M 100644 inline dir{commit % 40}/file{commit % 300}.txt\n"
                     f"data {len(body)}\n{body}\n")
    subprocess.run(["git", "-C", str(repo), "fast-import", "--quiet"], input="".join(parts).encode(), check=True)
    return ["git", "--no-pager", "-C", str(repo), "log", "--stat", "-M"], {"GIT_CONFIG_NOSYSTEM": "1", "HOME": str(work)}


def _perl(work, size):
    script = _write(work / "words.pl", f"""
my (%seen, @kept);
for my $i (1 .. {size(250000)}) {{ my $w = "w" . ($i * 7919 % 60013); $seen{{$w}} .= "x"; push @kept, [$i, $w] if $i % 5 == 0; }}
print scalar(keys %seen), " ", scalar(@kept), "\\n";
""")
    return ["perl", script], {"PERL_HASH_SEED": "0"}


def _lua(work, size):
    script = _write(work / "tables.lua", f"""
local kept = {{}}
for i = 1, {size(400000)} do
  local t = {{ i, "v" .. (i % 1009) }}
  if i % 4 == 0 then kept[#kept + 1] = t end
end
print(#kept)
""")
    return ["lua5.4", script], {}


def _redis(work, size):
    # Debian's server is linked with jemalloc. Under each tool it has glibc's malloc, so also when it runs alone.
    return redis_row.argv(), {"LD_PRELOAD": "libc.so.6"}, redis_row.client(size(5000))


def _clang(work, size):
    headers = ["algorithm", "map", "regex", "string", "vector"]
    functions = "".join(f"""
int Count{i}(const std::map<std::string, std::vector<Item<{i}>>>& items) {{
  int count = 0;
  for (const auto& entry : items) {{
    count += std::count_if(entry.second.begin(), entry.second.end(), [&](auto& item) {{ return item.name == entry.first; }});
  }}
  return count + std::regex_search("text", std::regex("(a|b)*c[0-9]+"));
}}
""" for i in range(size(8)))
    source = _write(work / "large.cc", "".join(f"#include <{header}>\n" for header in headers)
                    + "template <int kNumber> struct Item { std::string name; int values[kNumber + 1]; };\n" + functions)
    return ["clang++", "-std=c++17", "-fsyntax-only", source], {}


# Name: what it is, how its command and environment (and client) are made. The name is a program's, or see _PROGRAMS.
_ROWS = {
    "true": ("starting and ending a process", _true),
    "jq": ("jq grouping a JSON file", _jq),
    "python3": ("python3 with PYTHONMALLOC=malloc, dicts and lists", _python),
    "sqlite3": ("sqlite3 filling and sorting a table in memory", _sqlite),
    "redis-server": ("redis-server answering redis-benchmark", _redis),
    "clang++": ("clang++ checking a large file", _clang),
    "git": ("git log --stat of a made-up history", _git),
    "perl": ("perl filling hashes", _perl),
    "lua": ("lua5.4 making tables and collecting them", _lua),
}
_PROGRAMS = {"python3": "/usr/bin/python3", "lua": "lua5.4", "true": "/bin/true"}

# Name: what it is, the program of torture/ and its arguments; a number in a list grows with the scale.
_TORTURE = {
    **{f"tiny-{depth}-{stacks}": (f"tiny blocks, one thread, stacks of {depth} frames, {stacks} of them",
                                  "tiny_blocks", depth, stacks, [visits])
       for depth, visits in ((8, 1200000), (20, 1200000), (60, 1000000), (200, 600000)) for stacks in (1, 64, 100000)},
    "thread-1": ("tiny blocks in a thread", "two_threads", "one", [500000]),
    "thread-2-own": ("twice the work in two threads, each frees its own blocks", "two_threads", "own", [500000]),
    "thread-2-other": ("twice the work in two threads, each frees the other's blocks", "two_threads", "other", [500000]),
    "thread-per-task": ("a thread for each of 8000 tasks (100000 with --scale=12.5)", "thread_per_task", [8000]),
    "parser": ("a recursive-descent parser building trees and freeing them", "expressions", [25000]),
    "execs": ("a program that starts /bin/true by fork and exec, again and again", "many_execs", [60]),
    "held": ("500000 tiny blocks live at once", "held_blocks", [500000]),
}
# The wall time of the first over that of the second tells how twice the work in two threads compares with one thread.
SCALING = (("thread-2-own", "thread-1"), ("thread-2-other", "thread-1"))


def descriptions():
    return [(name, words[0]) for name, words in {**_ROWS, **_TORTURE}.items()]


def torture_names():
    return list(_TORTURE)


def make(name, work, scale, torture):
    """The row with its inputs laid out in `work`, or None if its program is not there. `torture`: the folder of ours."""
    def size(count):
        return max(1, int(count * scale))

    if name in _TORTURE:
        what, program, *arguments = _TORTURE[name]
        if not (torture / program).exists():
            return None
        argv = [str(torture / program)] + [str(size(word[0]) if isinstance(word, list) else word) for word in arguments]
        return Row(name, what, argv, group=TORTURE, blocks=int(argv[-1]) if name == "held" else None)
    what, build = _ROWS[name]
    if shutil.which(_PROGRAMS.get(name, name)) is None or name == "redis-server" and shutil.which("redis-benchmark") is None:
        return None
    argv, env, *client = build(work, size)
    return Row(name, what, argv, env, START if name == "true" else REAL, *client)
