# SPDX-License-Identifier: MIT
"""The plots of a report: what each is of, and how it is drawn from the results."""

import re

import gnuplot

PERCENTILES = {"p10": 10, "p25": 25, "p50": 50, "p75": 75, "p90": 90, "p95": 95, "p99": 99,
               "p99.9": 99.9, "max": 100}

# Benchmarks of callbacks are named by the call, others by the peer.
SAME = {"call_srcu": "srcu", "urcu_call_rcu": "urcu_memb"}


def group_of(peer):
    """Whose a peer of the readers is."""
    for start, group in (("srcu", "libsrcu"), ("urcu", "liburcu"), ("ck_", "Concurrency Kit")):
        if peer.startswith(start):
            return group
    return "locks" if peer in ("rwlock", "mutex", "spinlock") else "floors and counts"


def natural(text):
    """A key to sort by, with numbers as numbers."""
    return [(part.isdigit(), int(part) if part.isdigit() else part)
            for part in re.split(r"(\d+)", text)]


def ours_first(series):
    """The same series, libsrcu's first, then in alphabetical order."""
    ours = ("libsrcu", "srcu", "seqcount")
    names = sorted(series, key=lambda name: (not name.startswith(ours), name))
    return {name: series[name] for name in names}


def point(value, factor=1.0):
    """A median and quartiles, for gnuplot."""
    return value.median * factor, value.low * factor, value.high * factor


class Plot:
    """One plot; of a file without its benchmarks it draws nothing."""

    def __init__(self, key, title, text, only):
        self.key, self.title, self.text, self.only = key, title, text, only

    def command(self):
        """What prints its figures."""
        return f"srcu-bench --benchmark_filter='{self.only}'"


class Rows(Plot):
    """Dots by rows: the groups row and who of @pattern."""

    def __init__(self, key, title, text, only, pattern, fields, label, unit="s", log=True,
                 grouped=False, row_name=str, factor=1e-9):
        super().__init__(key, title, text, only)
        self.factor = factor if unit == "s" else 1
        self.pattern, self.fields, self.label = pattern, fields, label
        self.unit, self.log, self.grouped, self.row_name = unit, log, grouped, row_name

    def series_of(self, match):
        """The name in the key; without a group who there is one series."""
        if self.grouped:
            return group_of(match["row"])
        who = match.groupdict().get("who", "")
        return SAME.get(who, who)

    def draw(self, results, background=None):
        """The SVG, or None."""
        series, rows = {}, {}
        for name, match in results.matching(self.pattern):
            value = results.value(name, *self.fields)
            if value is None or (self.log and value.low <= 0):
                continue
            row = match["row"]
            who = self.series_of(match)
            numbers = point(value, self.factor)
            rows[row] = min(numbers[0], rows.get(row, numbers[0]))
            series.setdefault(who, {})[row] = numbers
        if not rows:
            return None
        order = sorted(rows, key=rows.get if self.grouped else natural)
        named = {who: {self.row_name(row): numbers for row, numbers in values.items()}
                 for who, values in ours_first(series).items()}
        return gnuplot.dots(named, [self.row_name(row) for row in order], self.label, self.unit,
                            self.log, background)


class Lines(Plot):
    """Lines over categories: the groups x and who of @pattern."""

    def __init__(self, key, title, text, only, pattern, fields, xlabel, label, unit="s", log=True):
        super().__init__(key, title, text, only)
        self.pattern, self.fields, self.xlabel = pattern, fields, xlabel
        self.label, self.unit, self.log = label, unit, log

    def draw(self, results, background=None):
        """The SVG, or None."""
        series, xs = {}, set()
        for name, match in results.matching(self.pattern):
            value = results.value(name, *self.fields)
            if value is None or (self.log and value.low <= 0):
                continue
            x = int(match["x"])
            xs.add(x)
            series.setdefault(match["who"], {})[x] = point(value, 1e-9 if self.unit == "s" else 1)
        if len(xs) < 2:
            return None
        return gnuplot.lines(ours_first(series), sorted(xs), self.xlabel, self.label, self.unit, self.log,
                             background)


class Percentiles(Plot):
    """The distribution of the times of the benchmarks that match @pattern, with a group who."""

    def __init__(self, key, title, text, only, pattern, label):
        super().__init__(key, title, text, only)
        self.pattern, self.label = pattern, label

    def draw(self, results, background=None):
        """The SVG, or None."""
        series = {}
        for name, match in results.matching(self.pattern):
            values = {percent: results.value(name, counter)
                      for counter, percent in PERCENTILES.items()}
            found = {percent: value.median * 1e-9 for percent, value in values.items()
                     if value and value.median > 0}
            if len(found) > 2:
                series[match["who"]] = found
        if not series:
            return None
        return gnuplot.percentiles(ours_first(series), self.label, background)


def load_name(load):
    """The readers of gp/, in words."""
    numbers = [int(part.split(":")[1]) for part in load.split("/")]
    readers, inside, outside = numbers
    if not readers:
        return "no reader"
    what = f"{inside / 1000:g} µs in, {outside / 1000:g} µs out" if inside and outside else (
        f"sections of {inside / 1000:g} µs" if inside else "empty sections")
    return f"{readers} reader{'s' if readers > 1 else ''}, {what}"


# Who waits for grace periods: as many as there are colours.
WAITERS = "srcu|srcu_fenced|urcu_[a-z]+|ck_epoch"

PLOTS = [
    Rows("read", "Read cost",
         "What a lock and an unlock cost a thread that does nothing else, in CPU time; "
         "the ends of each line are the quartiles of the repetitions. none is the loop alone, stores "
         "are the two stores that a reader makes.",
         "^read/", r"read/(?P<row>.+)", ["cpu_time"], "time per pair (log)", grouped=True),
    Lines("threads", "Readers by threads",
          "Empty sections of all threads together: what scales grows with the CPUs, "
          "and stays where there are more threads than CPUs.",
          "^read_threads/", r"read_threads/(?P<who>[^/]+)/threads:(?P<x>\d+)", ["pairs/us"],
          "threads", "pairs per µs, all threads (log)", unit=""),
    Lines("nested", "Nested sections",
          "Sections in each other, all locks and then all unlocks.",
          "^read_nested/", r"read_nested/(?P<who>[^/]+)/depth:(?P<x>\d+)", ["cpu_time"],
          "depth", "time per outermost section (log)"),
    Lines("length", "Length of a section",
          "A section with work in it: where the lines meet, the work is all that counts.",
          "^read_length/", r"read_length/(?P<who>[^/]+)/\w+:(?P<x>\d+)", ["cpu_time"],
          "work in the section, ns", "time per section (log)"),
    Lines("updates", "Reads beside an updater",
          "One read, while another thread replaces the object and waits for the readers of the old one.",
          "^read_updates/", r"read_updates/(?P<who>[^/]+)/updates_per_ms:(?P<x>\d+)",
          ["p50", "real_time"], "updates per ms", "time per read (log)"),
    Rows("hash", "Hash table", "A lookup, while another thread takes keys out and puts others in.",
         "^hash/", r"hash/(?P<who>[^/]+)/updates_per_ms:(?P<row>\d+)", ["p50", "real_time"],
         "time per lookup (log)", row_name="{} updates per ms".format),
    Percentiles("grace-period", "Grace periods beside a reader",
                "How long one caller waits, while one reader repeats empty sections: "
                "the share of the waits that took no longer. Each nine has as much room as the one before.",
                "^gp/.*/readers:1/in_ns:0/", rf"gp/(?P<who>{WAITERS})/readers:1/in_ns:0/out_ns:0",
                "time of a grace period (log)"),
    Rows("gp", "Grace periods by readers", "The median time of a grace period, by what the readers do.",
         "^gp/",
         rf"gp/(?P<who>{WAITERS})/(?P<row>readers:.*)", ["p50"], "p50 (log)",
         row_name=load_name),
    Lines("concurrent", "Callers at once",
          "Grace periods for several callers together, beside one reader: those that wait at the "
          "same time can share one.",
          "^gp_concurrent/.*/readers:1", rf"gp_concurrent/(?P<who>{WAITERS})/updaters:(?P<x>\d+)/readers:1",
          ["calls/s"], "callers", "calls per second, all callers (log)", unit=""),
    Rows("isolation", "Beside a sleeping reader",
         "The median time of an update, while another thread sleeps for 100 ms at a time: in "
         "sections of another domain (srcu), outside of sections (srcu_alone), or in sections of "
         "the peer, which has no domains.",
         "^isolation/", r"isolation/(?P<row>[^/]+)/(?P<who>.+)", ["p50"], "p50 (log)"),
    Rows("callbacks", "Callbacks",
         "Per callback: queued; queued and invoked; invoked after a flood of them behind a reader. "
         "And a barrier when none is queued.",
         "^(enqueue|enqueue_invoke|flood|barrier)/",
         r"(?P<row>enqueue|enqueue_invoke|flood|barrier)/(?P<who>.+)", ["p50", "drain_ns"],
         "time (log)"),
    Rows("backlog", "Backlog",
         "The most callbacks that were queued and not yet invoked, beside a reader of long sections.",
         "^backlog/", r"backlog/(?P<row>.+)", ["peak"], "callbacks (log)", unit="", grouped=True),
    Lines("routes", "Route swap",
          "The replacement of a table of interrupt routes, while one thread injects by it and "
          "another sleeps for 10 ms at a time in a domain of its own, where there are domains.",
          "^route_swap/", r"route_swap/(?P<who>[^/]+)/routes:(?P<x>\d+)", ["p50"], "routes",
          "p50 (log)"),
    Rows("inject", "Injection", "One interrupt, from an eventfd to a pending vector, by its path.",
         "^inject/[a-z]+(/iter|$)", r"inject/(?P<row>[a-z]+)", ["p50"],
         "p50 per event (log)"),
    Lines("scan", "Scan", "A grace period without readers, which adds up the counters of all CPUs, "
          "divided by their number; the CPUs are simulated.",
          "^scan/", r"(?P<who>scan)/cpus:(?P<x>\d+)", ["p50"], "CPUs", "time per CPU (log)"),
    Lines("strides", "Layout of counters",
          "Adding up one pair of counters per CPU, by the bytes from one CPU's to the next.",
          "^percpu/scan/", r"percpu/scan/(?P<who>stride:\d+)/cpus:(?P<x>\d+)", ["cpu_time"], "CPUs",
          "time per CPU (log)"),
    Lines("seq-read", "Sequence counter: reads", "A read of an object that nobody writes, by its size.",
          "^seq_read/", r"seq_read/(?P<who>[^/]+)/bytes:(?P<x>\d+)", ["cpu_time"], "bytes",
          "time per read (log)"),
    Lines("seq-write", "Sequence counter: writes", "A write of such an object.",
          "^seq_write/", r"seq_write/(?P<who>[^/]+)/bytes:(?P<x>\d+)", ["cpu_time"], "bytes",
          "time per write (log)"),
    Lines("seq-rate", "Sequence counter: reads beside a writer",
          "A read of 16 bytes, while another thread writes them.",
          "^seq_read_rate/", r"seq_read_rate/(?P<who>[^/]+)/bytes:16/writes_per_ms:(?P<x>\d+)",
          ["p50"], "writes per ms", "p50 (log)"),
    Rows("percpu", "Per-CPU counters", "One increment.", "^percpu/inc/",
         r"percpu/inc/(?P<row>.+)", ["cpu_time"], "time", log=False),
    Rows("poll", "Polling", "A cookie; a grace period without readers, polled for.",
         "^poll/", r"poll/(?P<row>[^/]+)/(?P<who>.+)", ["p50", "cpu_time"], "time", log=False),
    Rows("threads-churn", "Threads that come and go",
         "A thread that is created, has one section and ends, with what the peer wants of a new "
         "thread; none is the thread alone.",
         "^churn/", r"churn/(?P<row>.+)", ["p50"], "p50", log=False, grouped=True),
    Rows("down-up", "Down here, up there", "A section that one thread begins and another ends.",
         "^down_up/", r"down_up/(?P<row>.+)", ["p50", "real_time"], "time per section", log=False,
         grouped=True),
    Rows("idle", "Idle", "Wake-ups of the threads of a process that has had callbacks: with nothing to do, and with "
         "some callbacks per second.",
         "^idle/", r"idle/(?P<row>.+)", ["wakeups/s"], "wake-ups per second", unit="", log=False,
         grouped=True),
    Rows("idle-cpu", "Idle: CPU", "The CPU time that these threads take.",
         "^idle/", r"idle/(?P<row>.+)", ["cpu_us/s"], "CPU time per second", log=False,
         grouped=True, factor=1e-6),
]
