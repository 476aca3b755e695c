# SPDX-License-Identifier: MIT
"""The results of srcu-bench, as Google Benchmark's JSON has them."""

import json
import math
import re

# What Google Benchmark adds to a name.
SUFFIX = re.compile(r"/(iterations:\d+|repeats:\d+|min_time:[\d.]+|(manual|real|process)_time)(?=/|$)")


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[-1 - middle]) / 2


class Value:
    """A median, and the quartiles around it, of the repetitions of one benchmark."""

    def __init__(self, values):
        ordered = sorted(values)
        quarter = len(ordered) // 4
        self.median = median(ordered)
        self.low = ordered[quarter]
        self.high = ordered[-1 - quarter]


class Figure:
    """A result beside its peer's, and what the program says of its bound."""

    def __init__(self, run):
        self.name = run["name"].removeprefix("figure:")
        beside, self.unit, self.kind, verdict = run["label"].split(" ")
        self.beside = None if beside == "-" else beside
        self.verdict = "" if verdict == "-" else verdict
        self.ours, self.theirs = run["ours"], run["theirs"]
        self.value, self.low, self.high = run["value"], run["low"], run["high"]
        self.bound = run["bound"]

    def command(self):
        """What measures both sides again."""
        names = "|".join(name for name in (self.name, self.beside) if name)
        return f"srcu-bench --benchmark_filter='^({names})(/iter[^/]*)?(/[a-z]*_time)?$'"


class Results:
    """What one file has: by the benchmarks' names, without what Google Benchmark adds."""

    def __init__(self, file):
        data = json.load(file)
        self.context = data["context"]
        self.figures, self.noise = [], None
        self.runs = {}
        medians = {}
        for run in data["benchmarks"]:
            name = SUFFIX.sub("", run["run_name"])
            if run.get("error_occurred"):
                continue
            if name.startswith("figure:"):
                self.figures.append(Figure(run))
            elif name == "machine/noise":
                self.noise = run
            elif run["run_type"] == "iteration":
                self.runs.setdefault(name, []).append(run)
            elif run["aggregate_name"] == "median":
                medians[name] = [run]
        # Where repetitions were not kept, there is one value, without quartiles.
        for name, run in medians.items():
            self.runs.setdefault(name, run)

    def value(self, name, *fields):
        """Of the first of @fields that the benchmark has; None when it has none."""
        runs = self.runs.get(name, [])
        for field in fields:
            values = [run[field] for run in runs if isinstance(run.get(field), (int, float))]
            values = [value for value in values if math.isfinite(value)]
            if values:
                return Value(values)
        return None

    def matching(self, pattern):
        """Pairs of a name and its match, in the order of the file."""
        expression = re.compile(pattern)
        matches = ((name, expression.fullmatch(name)) for name in self.runs)
        return [(name, match) for name, match in matches if match]

    def counters(self, name):
        """The names of its counters."""
        known = {
            "name", "family_index", "per_family_instance_index", "run_name", "run_type",
            "repetitions", "repetition_index", "threads", "iterations", "real_time", "cpu_time",
            "time_unit", "label", "aggregate_name", "aggregate_unit",
        }
        return [key for key in self.runs[name][0] if key not in known]

    def machine(self):
        """What the figures must be read with: pairs of a key and a text."""
        context = self.context
        known = {
            "date", "host_name", "executable", "num_cpus", "mhz_per_cpu", "cpu_scaling_enabled",
            "caches", "load_avg", "library_build_type",
        }
        pairs = [("date", context["date"])]
        pairs += [(key, value) for key, value in context.items() if key not in known]
        if self.noise:
            noise = self.noise
            spread = (noise["high_ns"] / noise["low_ns"] - 1) * 100
            pairs.append(("noise", f"a loop of {noise['median_ns'] / 1000:.0f} µs, timed "
                f"{noise['probes']:.0f} times: quartiles {spread:.1f} % apart, on its CPU "
                f"{noise['cpu_share'] * 100:.1f} % of the time; other programs used "
                f"{noise['others'] * 100:.1f} % of the CPUs' time, a hypervisor took "
                f"{noise['steal'] * 100:.1f} %; load at the start {noise['load']:.1f}"))
        return pairs

    def warning(self):
        """Why the machine was too noisy to conclude; None when it was not."""
        return self.noise.get("label") if self.noise else None
