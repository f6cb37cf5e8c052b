"""The benchmark's results as tables of 100 columns: one a metric, rows down, tools across."""

import math

import workloads

_NAME_WIDTH = 16


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def _bytes(count):
    """Three digits and a unit, at most six letters."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB", "TB"):
        count /= 1000
        if count < 999.5 or unit == "TB":
            return f"{count:.3g} {unit}" if count >= 100 else f"{count:.1f} {unit}"


def _ratio(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _added(seconds):
    return f"{seconds * 1e3:+.1f}ms" if abs(seconds) < 0.01 else f"{seconds * 1e3:+.0f}ms"


class _Table:
    def __init__(self, title, names, out):
        self.names = names
        self.widths = [max(8, len(name) + 1) for name in names]
        self.out = out
        print(f"\n{title}", file=out)
        print(f"{'':<{_NAME_WIDTH}}" + "".join(f"{name:>{width}}" for name, width in zip(names, self.widths)), file=out)

    def line(self, label, cells):
        print((f"{label:<{_NAME_WIDTH}}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, self.widths))).rstrip(),
              file=self.out)


def _cell(row, variant, metric, form):
    entry = row["variants"].get(variant)
    if entry is None:
        return "-"
    return "failed" if "failed" in entry else form(entry, metric)


def _as_ratio(entry, metric):
    ratio = entry["ratio"][metric]
    return "-" if ratio is None else _ratio(ratio)


def _ratios_of_real(results, variant, metric):
    found = []
    for row in results:
        entry = row["variants"].get(variant, {})
        if row["group"] == workloads.REAL and entry.get("ratio", {}).get(metric):
            found.append(entry["ratio"][metric])
    return found


def _ratio_table(title, results, variants, metric, plain_form, out):
    table = _Table(title, variants, out)
    group = None
    for row in results:
        if group == workloads.REAL and row["group"] != group:
            _real_lines(table, results, variants, metric)
        group = row["group"]
        table.line(row["name"], [plain_form(row["variants"]["plain"]["median"][metric]) if variant == "plain"
                                 else _cell(row, variant, metric, _as_ratio) for variant in variants])
    if group == workloads.REAL:
        _real_lines(table, results, variants, metric)
    return table


def _real_lines(table, results, variants, metric):
    ratios = [[] if variant == "plain" else _ratios_of_real(results, variant, metric) for variant in variants]
    count = max(map(len, ratios), default=0)
    if count < 2:
        return
    # A mean of fewer programs than the others' would not compare.
    table.line("  geometric mean", [_ratio(geometric_mean(found)) if len(found) == count else "" for found in ratios])
    table.line("  worst of them", [_ratio(max(found)) if found else "" for found in ratios])


def _scaling_lines(table, results, variants):
    by_name = {row["name"]: row for row in results}
    for two, one in workloads.SCALING:
        if two not in by_name or one not in by_name:
            continue
        cells = []
        for variant in variants:
            entries = [by_name[name]["variants"].get(variant, {}) for name in (two, one)]
            both = all("median" in entry for entry in entries)
            cells.append(_ratio(entries[0]["median"]["wall_s"] / entries[1]["median"]["wall_s"]) if both else "-")
        table.line("  " + two.replace("thread-", ""), cells)


def _added_lines(table, results, variants):
    """What a process pays for starting and ending."""
    for row in results:
        if row["group"] != workloads.START:
            continue
        plain = row["variants"]["plain"]["median"]["wall_s"]
        table.line("  " + row["name"], ["" if variant == "plain" else
                   _cell(row, variant, "wall_s", lambda entry, metric: _added(entry["median"][metric] - plain))
                                        for variant in variants])


def _block_lines(results, variants, out):
    for row in results:
        if not row["blocks"]:
            continue
        table = _Table(f"bytes that each of {row['blocks']} live blocks adds to the peak of resident memory",
                       variants, out)
        plain = row["variants"]["plain"]["median"]["peak_rss_kb"]
        table.line("  " + row["name"], ["" if variant == "plain" else _cell(
            row, variant, "peak_rss_kb",
            lambda entry, metric: f"{(entry['median'][metric] - plain) * 1024 / row['blocks']:+.0f} B") for variant in variants])


def _frame_table(results, out):
    names = []
    for row in results:
        names += [name for name in row.get("frames", {}) if name not in names]
    if not names:
        return
    table = _Table("frames captured for an allocation: mean, and share of stacks cut short ('-': not known)",
                   [name for tool in names for name in (tool, "cut")], out)
    for row in results:
        cells = []
        for name in names:
            found = row.get("frames", {}).get(name)
            cells += [f"{found['mean_frames']:.1f}", f"{found['truncated'] * 100:.1f}%"] if found else ["-", "-"]
        table.line(row["name"], cells)


def print_tables(results, variants, out):
    if not results:
        return
    table = _ratio_table("wall time: of the program alone, and ratios to it", results, variants, "wall_s",
                         lambda value: f"{value * 1e3:.0f} ms" if value >= 0.1 else f"{value * 1e3:.1f} ms", out)
    if any(row["group"] == workloads.START for row in results):
        table.line("added to", [])
        _added_lines(table, results, variants)
    if any(row["name"] == "thread-1" for row in results):
        table.line("twice the work in two threads: wall time over that of one (1: it scales; 2: it does not)", [])
        _scaling_lines(table, results, variants)
    _ratio_table("CPU time of the process tree: of the program alone, and ratios to it", results, variants, "cpu_s",
                 lambda value: f"{value * 1e3:.0f} ms", out)
    _ratio_table("peak resident memory of the largest process: of the program alone, and ratios to it", results, variants,
                 "peak_rss_kb", lambda value: _bytes(value * 1024), out)
    _block_lines(results, variants, out)
    written = _Table("bytes written to files (whole pages, as the kernel counts them; nothing on a tmpfs)", variants, out)
    for row in results:
        written.line(row["name"], [_cell(row, variant, "written_bytes", lambda entry, metric: _bytes(entry["median"][metric]))
                                   for variant in variants])
    _frame_table(results, out)
    _print_failures(results, out)


def _print_failures(results, out):
    reasons = {}
    for row in results:
        for variant, entry in row["variants"].items():
            if "failed" in entry:
                reasons.setdefault((variant, entry["failed"]), []).append(row["name"])
    if reasons:
        print("\nfailed:", file=out)
    for (variant, reason), rows in reasons.items():
        print(f"  {variant}: {reason} ({', '.join(rows)})", file=out)
