"""The rows of the benchmark: programs that Debian ships, on inputs made here, the same on every machine."""

import random
import shutil
import subprocess
from dataclasses import dataclass, field


@dataclass
class Row:
    name: str
    what: str
    argv: list
    env: dict = field(default_factory=dict)


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
    for commit in range(size(1500)):
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


def _clang(work, size):
    source = _write(work / "words.cc", """#include <regex>
#include <string>
bool Matches(const std::string& text) { return std::regex_search(text, std::regex("(a|b)*c[0-9]+")); }
""")
    return ["clang++", "-std=c++17", "-c", source, "-o", str(work / "words.o")], {}


_ROWS = {
    "true": ("starting and ending a process", _true),
    "jq": ("jq grouping a JSON file", _jq),
    "python3": ("python3 with PYTHONMALLOC=malloc, dicts and lists", _python),
    "sqlite3": ("sqlite3 filling and sorting a table in memory", _sqlite),
    "git": ("git log --stat of a made-up history", _git),
    "perl": ("perl filling hashes", _perl),
    "lua": ("lua5.4 making tables and collecting them", _lua),
    "clang++": ("clang++ compiling <regex>", _clang),
}


def descriptions():
    return [(name, what) for name, (what, _) in _ROWS.items()]


def make(name, work, scale):
    """The row with its inputs laid out in `work`, or None if its program is not installed."""
    what, build = _ROWS[name]
    program = {"python3": "/usr/bin/python3", "lua": "lua5.4", "true": "/bin/true"}.get(name, name)
    if shutil.which(program) is None:
        return None
    argv, env = build(work, lambda count: max(1, int(count * scale)))
    return Row(name, what, argv, env)
