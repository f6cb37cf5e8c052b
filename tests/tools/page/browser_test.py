"""The page in a headless browser: drawing, tabs, search, keys, hostile names, the live server.

    browser_test.py MALLOCSPY WRITE_LEDGERS [TEST...]
"""

import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import browser

SKIPPED = 77
MALLOCSPY, WRITE_LEDGERS = sys.argv[1:3]
TOKEN = "0123456789abcdef0123456789abcdef"
ROWS = "page.tabs.find((tab) => tab.id === '{}').view.table.rows.length"
DRAWN = "page.tabs.find((tab) => tab.id === '{}').view.surface.drawn"


class BrowserTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mallocspy-page-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        subprocess.run([WRITE_LEDGERS, self.folder], check=True)
        self.browser = browser.Browser()
        self.addCleanup(self.browser.close)

    def page(self, *arguments):
        """Writes a page and opens it."""
        path = self.folder / "page.html"
        subprocess.run([MALLOCSPY, *arguments, "--format=html", f"--output={path}"], stderr=subprocess.DEVNULL, check=False)
        self.browser.open(path.as_uri())
        self.browser.wait("page.heap !== null")
        return path.as_uri()

    def assert_quiet(self, *addresses):
        """No complaint on the console, and no request but for these."""
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(set(self.browser.requests()), set(addresses))

    def show(self, tab):
        self.browser.evaluate(f"page.open('{tab}')")
        self.browser.painted()

    def pixels(self):
        """How many different colors the canvas in view has, at a grid of points."""
        return self.browser.evaluate("""(() => {
          const canvas = [...document.querySelectorAll('section:not([hidden]) canvas')][0];
          const copy = document.createElement('canvas');
          copy.width = canvas.width;
          copy.height = canvas.height;
          const context = copy.getContext('2d', {willReadFrequently: true});
          context.drawImage(canvas, 0, 0);
          const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
          const colors = new Set();
          for (let i = 0; i < pixels.length; i += 97) colors.add(pixels[i]);
          return colors.size;
        })()""")

    def test_every_tab_shows_something(self):
        address = self.page("report", str(self.folder / "large.mspy"), str(self.folder / "hostile.mspy"))
        tabs = self.browser.evaluate("page.tabs.filter((tab) => !tab.button.hidden).map((tab) => tab.id)")
        self.assertEqual(tabs, ["summary", "flame", "treemap", "stacks", "leaks", "errors", "sizes", "timeline"])
        for dark in (False, True):
            self.browser.scheme(dark)
            for tab in tabs:
                with self.subTest(tab=tab, dark=dark):
                    self.show(tab)
                    self.assertEqual(self.browser.evaluate("document.documentElement.classList.contains('dark')"), dark)
                    visible = self.browser.evaluate("[...document.querySelectorAll('section:not([hidden])')].length")
                    self.assertEqual(visible, 1)
                    if tab in ("flame", "treemap", "sizes", "timeline"):
                        self.assertGreater(self.browser.evaluate(DRAWN.format(tab)), 3)
                        self.assertGreater(self.pixels(), 3)
                    elif tab in ("stacks", "leaks"):
                        self.assertGreater(self.browser.evaluate("document.querySelectorAll('section:not([hidden]) .row').length"), 5)
                    self.assertFalse(self.browser.evaluate("document.documentElement.scrollWidth > innerWidth"))
        self.assert_quiet(address)

    def test_rows_are_elements_only_in_view(self):
        self.page("report", str(self.folder / "large.mspy"))
        self.show("stacks")
        self.assertEqual(self.browser.evaluate(ROWS.format("stacks")), 3000)
        count = "document.querySelectorAll('section:not([hidden]) .row').length"
        self.assertLess(self.browser.evaluate(count), 80)
        self.browser.evaluate("document.querySelector('section:not([hidden]) .rows').scrollTop = 1e9")
        self.browser.painted()
        last = self.browser.evaluate("Math.max(...[...document.querySelectorAll('section:not([hidden]) .row')].map((row) => parseInt(row.style.top)))")
        self.assertEqual(last, 2999 * 26)
        # Sorted by live bytes, then by another column, up and down.
        order = "(() => { const v = page.tabs.find((t) => t.id === 'stacks').view; return v.table.rows.map((r) => v.counters.now.{}[r]); })()"
        values = self.browser.evaluate(order.replace("{}", "live_bytes"))
        self.assertEqual(values, sorted(values, reverse=True))
        self.browser.evaluate("page.tabs.find((t) => t.id === 'stacks').view.table.sortBy(2)")
        values = self.browser.evaluate(order.replace("{}", "allocated_bytes"))
        self.assertEqual(values, sorted(values, reverse=True))
        self.browser.evaluate("page.tabs.find((t) => t.id === 'stacks').view.table.sortBy(2)")
        self.assertEqual(self.browser.evaluate(order.replace("{}", "allocated_bytes")), values[::-1])

    def test_search_counts_what_matches(self):
        self.page("report", str(self.folder / "large.mspy"))
        self.browser.evaluate("page.search('LIBPART3.so')")
        # Counted another way: stack by stack, from the names.
        expected = self.browser.evaluate("""(() => {
          const c = page.counters;
          let stacks = 0, value = 0;
          for (let i = 0; i < c.count; ++i) {
            if (!page.heap.stack(c.node[i]).some((f) => page.heap.moduleName(f) === 'libpart3.so')) continue;
            ++stacks;
            value += c.now.live_bytes[i];
          }
          return {stacks, value};
        })()""")
        self.assertGreater(expected["stacks"], 100)
        self.assertEqual(self.browser.evaluate("page.found"), expected)
        self.show("stacks")
        self.assertEqual(self.browser.evaluate(ROWS.format("stacks")), expected["stacks"])
        self.assertIn(f"{expected['stacks']:,} stacks", self.browser.evaluate("byId('matches').textContent"))
        self.browser.evaluate("page.search('no such name')")
        self.assertEqual(self.browser.evaluate(ROWS.format("stacks")), 0)

    def test_graphs_are_of_the_same_total(self):
        self.page("report", str(self.folder / "large.mspy"))
        total = self.browser.evaluate("page.heap.pictures[0].totals.live_bytes")
        self.show("flame")
        tree = "page.tabs.find((tab) => tab.id === 'flame').view.tree"
        self.assertEqual(self.browser.evaluate(f"{tree}.value[0]"), total)
        # No box is larger than the one above it, and children are not more than their parent.
        self.assertTrue(self.browser.evaluate(f"""(() => {{
          const tree = {tree};
          const sum = new Float64Array(tree.value.length);
          for (let i = 1; i < sum.length; ++i) sum[tree.parent[i]] += tree.value[i];
          return sum.every((value, i) => value <= tree.value[i] + 1e-6) && sum[0] === tree.value[0];
        }})()"""))
        self.browser.evaluate("page.invert()")
        self.browser.painted()
        self.assertEqual(self.browser.evaluate(f"{tree}.children(0).reduce((sum, box) => sum + {tree}.value[box], 0)"), total)
        self.show("treemap")
        self.assertEqual(self.browser.evaluate("page.tabs.find((tab) => tab.id === 'treemap').view.total"), total)

    def test_dominators_of_a_dump(self):
        self.page("report", str(self.folder / "hostile.mspy"))
        self.show("dominators")
        chart = "page.tabs.find((tab) => tab.id === 'dominators').view"
        self.assertEqual(self.browser.evaluate(f"{chart}.tree.value[0]"), 124)
        self.assertEqual(self.browser.evaluate(f"{chart}.boxes.length"), 4, "all, the variable, its block, the block below")
        box = self.browser.evaluate(f"(() => {{ const b = {chart}.boxes[3]; const r = {chart}.surface.canvas.getBoundingClientRect();"
                                    f" return [b[0], r.x + b[1] + 5, r.y + b[2] + 5]; }})()")
        self.browser.click(box[1], box[2])
        self.assertEqual(self.browser.evaluate(f"{chart}.zoomed"), box[0])
        self.assertIn("100 B, 81 % of all", self.browser.evaluate(f"{chart}.crumb.textContent"))
        self.browser.key("Escape")
        self.assertEqual(self.browser.evaluate(f"{chart}.zoomed"), 0)
        self.assertEqual(self.browser.complaints(), [])

    def test_keys_and_clicks(self):
        self.page("report", str(self.folder / "large.mspy"))
        self.browser.key("2")
        self.assertEqual(self.browser.evaluate("page.current"), "flame")
        flame = "page.tabs.find((tab) => tab.id === 'flame').view"
        box = self.browser.evaluate(f"(() => {{ const b = {flame}.boxes.find((one) => one[0] !== 0);"
                                    f" const r = {flame}.surface.canvas.getBoundingClientRect(); return [b[0], r.x + b[1] + 5, r.y + b[2] + 5]; }})()")
        self.browser.click(box[1], box[2])
        self.assertEqual(self.browser.evaluate(f"{flame}.zoomed"), box[0])
        self.browser.key("Escape")
        self.assertEqual(self.browser.evaluate(f"{flame}.zoomed"), 0)
        self.browser.key("m")
        self.assertEqual(self.browser.evaluate("page.metricId"), "live_blocks")
        self.browser.key("i")
        self.assertTrue(self.browser.evaluate("page.isInverted"))
        dark = self.browser.evaluate("document.documentElement.className")
        self.browser.key("t")
        self.assertNotEqual(self.browser.evaluate("document.documentElement.className"), dark)
        self.browser.key("?")
        self.assertTrue(self.browser.evaluate("byId('keys').open"))
        self.browser.evaluate("byId('keys').close()")
        self.browser.key("/")
        self.assertEqual(self.browser.evaluate("document.activeElement.id"), "search")
        self.assertEqual(self.browser.complaints(), [])

    def test_hostile_names_are_names(self):
        address = self.page("report", str(self.folder / "hostile.mspy"))
        for tab in self.browser.evaluate("page.tabs.filter((tab) => !tab.button.hidden).map((tab) => tab.id)"):
            self.show(tab)
        self.show("leaks")
        self.browser.evaluate("page.tabs.find((tab) => tab.id === 'leaks').view.table.choose(0)")
        self.assertIn("</script><script>alert(1)</script><!--<img src=x", self.browser.evaluate("document.body.innerText"))
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('img, iframe, i').length + document.scripts.length"), 2)
        self.assert_quiet(address)

    def test_the_policy_holds(self):
        self.page("report", str(self.folder / "hostile.mspy"))
        self.browser.evaluate("""(() => {
          const script = document.createElement('script');
          script.textContent = 'window.ran = 1';
          document.body.append(script);
        })()""")
        self.assertIsNone(self.browser.evaluate("window.ran"))
        self.assertEqual(self.browser.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')"), "refused")

    def test_diff(self):
        address = self.page("diff", str(self.folder / "hostile.mspy"), str(self.folder / "large.mspy"))
        tabs = self.browser.evaluate("page.tabs.filter((tab) => !tab.button.hidden).map((tab) => tab.id)")
        self.assertEqual(tabs, ["summary", "flame", "treemap", "stacks", "changes", "errors"])
        self.assertEqual(self.browser.evaluate("page.metricId"), "grown_live_bytes")
        sums = self.browser.evaluate("page.metrics.slice(0, 10).map((m) => m.values(page.counters).reduce((a, b) => a + b, 0))")
        now, before = self.browser.evaluate("page.heap.pictures.map((picture) => picture.totals.live_bytes)")
        self.assertEqual(sums[0] - sums[5], now - before)
        self.assertEqual(before, 124)
        for tab in tabs:
            self.show(tab)
        self.assert_quiet(address)

    def test_live_page_follows_and_keeps_what_was_chosen(self):
        ledger = self.folder / "live.mspy"
        shutil.copyfile(self.folder / "hostile.mspy", ledger)
        server = subprocess.Popen([MALLOCSPY, "serve", f"--token={TOKEN}", str(ledger)], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        try:
            address = server.stdout.readline().strip()
            self.assertIn(TOKEN, address)
            self.browser.open(address)
            self.browser.wait("page.heap !== null")
            self.assertNotIn(TOKEN, self.browser.evaluate("location.href"))
            self.assertNotIn(TOKEN, self.browser.evaluate("document.cookie"))
            self.browser.evaluate("page.search('plain')")
            self.show("flame")
            flame = "page.tabs.find((tab) => tab.id === 'flame').view"
            self.browser.evaluate(f"{flame}.zoom({flame}.find(['/nowhere/libplain.so\\nlibplain.so+0x20']))")
            self.assertNotEqual(self.browser.evaluate(f"{flame}.zoomed"), 0)
            self.browser.evaluate("window.before = page.heap")
            ledger.touch()  # another time is another state
            self.browser.wait("page.heap !== window.before")
            self.assertEqual(self.browser.evaluate(f"{flame}.tree.name({flame}.tree.label[{flame}.zoomed])"), "libplain.so+0x20")
            self.assertEqual(self.browser.evaluate("page.query"), "plain")
            self.assertEqual(self.browser.evaluate("page.current"), "flame")
            origin = address.split("/?")[0]
            self.assertEqual(self.browser.complaints(), [])
            self.assertTrue(all(url.startswith(origin + "/") for url in self.browser.requests()))
        finally:
            server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=60), 0)


if __name__ == "__main__":
    if browser.CHROMIUM is None:
        print("there is no Chromium here")
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
