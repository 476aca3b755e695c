# SPDX-License-Identifier: MIT
"""Plots as SVG, by gnuplot: dots by rows, lines over categories, and percentiles."""

import math
import re
import subprocess

WIDTH = 860
GREY = "#808080"
# Okabe and Ito's colours, without black and yellow, which not every background shows.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", GREY]
MARKS = [7, 5, 9, 13, 11, 15, 6, 4, 8, 12, 10, 14]
# The same peer has the same colour in every plot, as far as colours go.
PREFERRED = {
    "srcu": 0, "libsrcu": 0, "seqcount": 0,
    "urcu_memb": 1, "liburcu": 1, "ck_sequence": 1,
    "srcu_expedited": 2, "srcu_fenced": 2, "Concurrency Kit": 2, "seqcount_latch": 2,
    "srcu_classic": 5, "srcu_fast": 5, "srcu_alone": 5,
    "urcu_mb": 4, "urcu_bp": 4, "urcu_qsbr": 3, "rwlock": 3, "locks": 3,
    "mutex": 4, "spinlock": 6, "model": 6,
}


class Failure(Exception):
    """There is no gnuplot, or it does not draw."""


def styles(names):
    """
    A colour, a mark and a dash for each name.  No colour is used twice while there
    are others; then they are used again from the last one, with dashes.
    """
    chosen, free = {}, list(range(len(COLOURS)))
    for name in names:
        if PREFERRED.get(name) in free:
            chosen[name] = PREFERRED[name]
            free.remove(chosen[name])
    again = list(range(len(COLOURS)))
    dashed = set()
    for name in names:
        if name in chosen:
            continue
        if not free:
            dashed.add(name)
        chosen[name] = free.pop(0) if free else again.pop()
    return {name: (COLOURS[chosen[name]], MARKS[i % len(MARKS)], 2 if name in dashed else 1)
            for i, name in enumerate(names)}


def quote(text):
    """A string of gnuplot's."""
    return "'" + str(text).replace("'", "''") + "'"


PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def prefix_of(value, unit):
    """The factor and the prefix that @value is written with; only times have small ones."""
    usable = [pair for pair in PREFIXES if pair[0] >= 1 and unit != "s" or pair[0] <= 1 and unit == "s"]
    return next((pair for pair in usable if abs(value) >= pair[0] * 0.9995), usable[-1])


def human(value, unit):
    """Three digits, with the unit and its prefix."""
    factor, prefix = prefix_of(value, unit)
    # A prefix belongs to a symbol, and not to a word.
    gap = " " if prefix and len(unit) > 1 else ""
    return f"{value / factor:.3g} {prefix}{gap}{unit}".strip()


def run_gnuplot(script):
    """The SVG that the script draws."""
    try:
        done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise Failure("gnuplot is not installed: no plots without it") from error
    except subprocess.CalledProcessError as error:
        raise Failure(f"gnuplot failed: {error.stderr.strip()}") from error
    return done.stdout


def begin(height, names, background):
    """What every plot begins with: a key of @names above the plot, and room for it."""
    filled = f" background {quote(background)}" if background else ""
    columns = max(1, min(len(names), int(WIDTH / (9 * max(map(len, names)) + 55))))
    key_rows = -(-len(names) // columns) if len(names) > 1 else 0
    return [
        "set encoding utf8",
        f"set terminal svg size {WIDTH},{height + 20 * key_rows} dynamic noenhanced "
        f"font 'sans-serif,14'{filled}",
        f"set border 3 linecolor rgb '{GREY}'",
        "set tics nomirror textcolor rgb 'black'",
        "set bars small",
        f"set grid linecolor rgb '{GREY}' linewidth 0.5 dashtype 3",
        f"set key at screen 0.01, screen 0.99 left top horizontal maxcols {columns} Left reverse "
        "samplen 2" if key_rows else "unset key",
        f"set tmargin {1 + key_rows * 1.3:.2f}",
    ]


def scale(axis, label, unit, log, values):
    """The axis of the values; returns its lines, and what values are to be divided by."""
    if not log:
        factor, prefix = prefix_of(max(values), unit)
        what = f", {prefix}{unit}" if unit == "s" or prefix else ""
        return [f"set {axis}label {quote(label + what)}"], factor
    low = math.floor(math.log10(min(values)) + 1e-9)
    high = max(math.ceil(math.log10(max(values)) - 1e-9), low + 1)
    tics = ", ".join(f"{quote(human(10.0 ** i, unit))} 1e{i}" for i in range(low, high + 1))
    minor = ", ".join(f"'' {digit}e{i} 1" for i in range(low, high) for digit in range(2, 10))
    return [f"set {axis}label {quote(label)}", f"set logscale {axis}", f"set {axis}tics ({tics}, {minor})",
            # A little more, so that the tics at the ends are inside whatever is rounded.
            f"set {axis}range [0.999e{low}:1.001e{high}]"], 1


def dots(series, rows, label, unit="s", log=True, background=None):
    """
    A row for each of @rows with a dot for each series, and its quartiles.
    @series: by name, a dictionary from a row to a triple of median and quartiles.
    """
    look = styles(list(series))
    per_row = max(sum(row in values for values in series.values()) for row in rows)
    numbers = [part for values in series.values() for point in values.values() for part in point]
    axis, factor = scale("x", label, unit, log, numbers)
    script = begin(85 + len(rows) * (12 + 18 * per_row), list(series), background) + axis
    # Room for the last label.
    script.append("set rmargin 10" if log else f"set xrange [0:{max(numbers) / factor * 1.2 or 1}]")
    script.append(f"set yrange [{len(rows) - 0.5}:-0.5]")
    script.append("set ytics (" + ", ".join(f"{quote(r)} {i}" for i, r in enumerate(rows)) + ")")
    plots = []
    for number, (name, values) in enumerate(series.items()):
        colour, mark, _ = look[name]
        script.append(f"$data{number} << END")
        for row, point in values.items():
            present = [other for other in series if row in series[other]]
            at = rows.index(row) + (present.index(name) + 0.5) / len(present) * 0.8 - 0.4
            middle, low, high = (part / factor for part in point)
            script.append(f'{middle:.6g} {at:.3f} {low:.6g} {high:.6g} "{human(point[0], unit)}"')
        script.append("END")
        plots.append(f"$data{number} using 1:2:3:4 with xerrorbars linewidth 1.5 pointtype {mark} "
                     f"pointsize 0.7 linecolor rgb '{colour}' title {quote(name)}")
        plots.append(f"$data{number} using 4:2:5 with labels left offset 0.8,0 notitle")
    script.append("plot " + ", \\\n\t".join(plots))
    return run_gnuplot("\n".join(script) + "\n")


def lines(series, xs, xlabel, label, unit="s", log=True, background=None):
    """
    A line for each series over the categories @xs.
    @series: by name, a dictionary from one of @xs to a triple of median and quartiles.
    """
    look = styles(list(series))
    axis, factor = scale("y", label, unit, log, [
        part for values in series.values() for point in values.values() for part in point])
    script = begin(400, list(series), background) + axis
    if not log:
        script.append("set yrange [0:]")
    script.append(f"set xlabel {quote(xlabel)}")
    script.append(f"set xrange [-0.3:{len(xs) - 0.7}]")
    script.append("set xtics (" + ", ".join(f"{quote(x)} {i}" for i, x in enumerate(xs)) + ")")
    plots = []
    for number, (name, values) in enumerate(series.items()):
        colour, mark, dash = look[name]
        script.append(f"$data{number} << END")
        script += [f"{i} " + " ".join(f"{part / factor:.6g}" for part in values[x])
                   for i, x in enumerate(xs) if x in values]
        script.append("END")
        style = f"linecolor rgb '{colour}'"
        plots.append(f"$data{number} using 1:3:(0):($4-$3) with vectors nohead linewidth 1 {style} "
                     "notitle")
        plots.append(f"$data{number} using 1:2 with linespoints linewidth 2 dashtype {dash} pointtype {mark} "
                     f"pointsize 0.7 {style} title {quote(name)}")
    script.append("plot " + ", \\\n\t".join(plots))
    return run_gnuplot("\n".join(script) + "\n")


# Where percentiles are on the axis: each further nine has the same room.
def nines(percent):
    """The place of a percentile; that of the maximum is a little further."""
    return -math.log10(1 - percent / 100) if percent < 100 else 3.4


def percentiles(series, label, background=None):
    """A line for each series: a dictionary from a percentile to seconds."""
    look = styles(list(series))
    axis, _ = scale("x", label, "s", True, [
        value for values in series.values() for value in values.values()])
    script = begin(400, list(series), background) + axis
    shown = sorted({percent for values in series.values() for percent in values})
    script.append(f"set yrange [0:{nines(100) * 1.03}]")
    names = [("max" if percent == 100 else f"{percent:g} %%", nines(percent)) for percent in shown
             if percent not in (25, 95)]
    script.append("set ytics (" + ", ".join(f"{quote(n)} {at:.4f}" for n, at in names) + ")")
    script.append(f"set ylabel {quote('of the calls took no longer')}")
    plots = []
    for number, (name, values) in enumerate(series.items()):
        colour, mark, dash = look[name]
        script.append(f"$data{number} << END")
        script += [f"{value:.6g} {nines(percent):.4f}" for percent, value in sorted(values.items())]
        script.append("END")
        plots.append(f"$data{number} using 1:2 with linespoints linewidth 2 dashtype {dash} pointtype {mark} "
                     f"pointsize 0.7 linecolor rgb '{colour}' title {quote(name)}")
    script.append("plot " + ", \\\n\t".join(plots))
    return run_gnuplot("\n".join(script) + "\n")


def inline(svg, number):
    """For a page of HTML: no prolog, names of its own, the page's colour for black."""
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"\s+xmlns(:xlink)?=(\"[^\"]*\"|'[^']*')", "", svg)
    svg = re.sub(r"<(title|desc)>.*?</\1>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(id=|href=)(['\"])(#?)", rf"\1\2\3p{number}-", svg)
    svg = re.sub(r"\bcolor=(['\"])black\1", "color='inherit'", svg)
    return re.sub(r"(fill|stroke)=\s*(['\"])(black|rgb\(0,0,0\))\2", r"\1='currentColor'", svg)
