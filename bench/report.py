#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Makes a page of HTML, with plots, or the tables of RESULTS.md, or one plot, of the
results that srcu-bench wrote with --benchmark_out.
"""

import argparse
import html
import sys

sys.dont_write_bytecode = True

import gnuplot  # noqa: E402
from plots import PLOTS  # noqa: E402
from results import Results  # noqa: E402

STYLE = """
:root { color-scheme: light dark; --line: #80808060; --tint: #80808018; }
body { font: 15px/1.5 sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; } h3 { margin: 2.2rem 0 0.3rem; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: 0.15rem 0.6rem; border-bottom: 1px solid var(--line); text-align: left;
	vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.name { font-family: monospace; font-size: 12px; min-width: 10rem; }
code { font-size: 12px; background: var(--tint); padding: 0.1rem 0.3rem; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; }
.warning { border: 2px solid #d55e00; padding: 0.5rem 1rem; }
.missed, .noisy { font-weight: bold; } .missed { color: #d55e00; }
p { margin: 0.3rem 0; }
"""
SIGNS = {"<=": "≤", ">=": "≥"}


def number(value):
    """As many digits as a measurement is good for."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def quantity(value, unit):
    """A number with its unit, of a prefix that makes it short."""
    return gnuplot.human(value * 1e-9, "s") if unit == "ns" else gnuplot.human(value, unit)


def figure_cells(figure):
    """The texts of a row of the table of figures, without the command."""
    def show(value):
        return number(value) if figure.beside else quantity(value, figure.unit)

    def between(low, high):
        words = show(low).split(" "), show(high).split(" ")
        return f"{words[0][0] if words[0][1:] == words[1][1:] else show(low)}–{show(high)}"

    ratio = number(figure.value) if figure.beside else ""
    spread = between(figure.low, figure.high) if figure.high else ""
    bound = f"{SIGNS[figure.kind]} {show(figure.bound)}" if figure.kind in SIGNS else ""
    theirs = quantity(figure.theirs, figure.unit) if figure.beside else ""
    return [figure.name, quantity(figure.ours, figure.unit), figure.beside or "", theirs,
            ratio, spread, bound, figure.verdict]


HEADS = ["figure", "median", "beside", "median", "ratio", "quartiles", "bound", "verdict"]
NUMERIC = {1, 3, 4, 5, 6}


def summary(results):
    """How many bounds hold, in words; None when there are no bounds."""
    counts = {word: sum(figure.verdict == word for figure in results.figures)
              for word in ("holds", "missed", "noisy")}
    if not any(counts.values()):
        return None
    return (f"Of {sum(counts.values())} bounds {counts['holds']} hold and {counts['missed']} are "
            f"missed; {counts['noisy']} lie between the quartiles of their figures, which are too "
            "noisy to tell.")


def html_table(heads, rows, numeric, classes=None):
    """A table; @classes: of each row's last cell."""
    def cell(tag, i, text, more=""):
        names = " ".join(filter(None, ["n" if i in numeric else "", more]))
        # Names are long, and may be broken after slashes.
        shown = html.escape(text).replace("/", "/<wbr>") if more == "name" else html.escape(text)
        return f"<{tag}{f' class={chr(34)}{names}{chr(34)}' if names else ''}>{shown}</{tag}>"

    lines = ["<table>"]
    if heads:
        lines.append("<tr>" + "".join(cell("th", i, head) for i, head in enumerate(heads)) + "</tr>")
    for at, row in enumerate(rows):
        last = len(row) - 1
        lines.append("<tr>" + "".join(
            cell("td", i, text, classes[at] if classes and i == last else
                 "name" if i == 0 or i not in numeric and "/" in text else "")
            for i, text in enumerate(row)) + "</tr>")
    return "\n".join(lines + ["</table>"])


def all_results(results):
    """The rows of the table of all results."""
    rows = []
    for name, runs in results.runs.items():
        counters = ", ".join(
            f"{key} {number(results.value(name, key).median)}"
            for key in results.counters(name) if results.value(name, key))
        times = [results.value(name, field) for field in ("real_time", "cpu_time")]
        rows.append([name] + [number(time.median) for time in times] +
                    [f"{number(times[0].low)}–{number(times[0].high)}", str(len(runs)), counters])
    return sorted(rows)


def html_plots(results):
    """The sections of the plots that the results are enough for."""
    lines = []
    for at, plot in enumerate(PLOTS):
        svg = plot.draw(results)
        if svg is None:
            continue
        lines += [f'<h3 id="{plot.key}">{html.escape(plot.title)}</h3>',
                  f"<p>{html.escape(plot.text)}</p>", gnuplot.inline(svg, at),
                  f"<p><code>{html.escape(plot.command())}</code></p>"]
    return lines


def html_page(results):
    """The whole page."""
    lines = ["<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8">',
             '<meta name="viewport" content="width=device-width">',
             f"<title>srcu-bench</title><style>{STYLE}</style></head><body>", "<h1>srcu-bench</h1>"]
    if results.warning():
        lines.append('<p class="warning">The machine was too noisy to conclude from this: '
                     f"{html.escape(results.warning())}.</p>")
    lines += ['<h2 id="machine">Machine</h2>', html_table(None, results.machine(), set())]
    if results.figures:
        rows = [figure_cells(figure) for figure in results.figures]
        lines += ['<h2 id="figures">Figures</h2>',
                  "<p>Medians of the repetitions, and their ratio, which the bound is on; the "
                  "quartiles are those of the ratios of single repetitions. "
                  f"{html.escape(summary(results) or '')}</p>",
                  html_table(HEADS, rows, NUMERIC, [figure.verdict for figure in results.figures])]
    plots = html_plots(results)
    if plots:
        lines += ['<h2 id="plots">Plots</h2>'] + plots
    heads = ["benchmark", "time, ns", "CPU time, ns", "quartiles of the time", "runs", "counters"]
    lines += ['<h2 id="results">All results</h2>', "<details><summary>Medians of the "
              f"repetitions of {len(results.runs)} benchmarks</summary>",
              html_table(heads, all_results(results), {1, 2, 3, 4}), "</details>", "</body></html>"]
    return "\n".join(lines) + "\n"


def markdown(results):
    """RESULTS.md."""
    def row(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = ["<!-- SPDX-License-Identifier: MIT -->", "# Results of srcu-bench", "",
             "Made by `bench/report.py --markdown` of one run; `./quickstart bench` makes another.",
             "", row(["", ""]), "|---|---|"]
    lines += [row(pair) for pair in results.machine()]
    if results.warning():
        lines += ["", f"**The machine was too noisy to conclude from this: {results.warning()}.**"]
    lines += ["", "Medians of the repetitions; the bound is on the ratio, whose quartiles are those of "
              "single repetitions.", summary(results) or "", "", row(HEADS),
              "|" + "|".join("---:" if i in NUMERIC else "---" for i in range(len(HEADS))) + "|"]
    lines += [row(figure_cells(figure)) for figure in results.figures]
    lines += ["", "The command for each figure:", "", "```sh"]
    lines += [figure.command() for figure in results.figures]
    return "\n".join(lines + ["```"]) + "\n"


def one_plot(results, key):
    """A plot as a file of its own, on white."""
    for plot in PLOTS:
        if plot.key == key:
            svg = plot.draw(results, "white")
            if svg is None:
                sys.exit(f"report.py: no results for the plot {key}")
            prolog, rest = svg.split("\n", 1)
            return f"{prolog}\n<!-- SPDX-License-Identifier: MIT -->\n{rest}"
    sys.exit(f"report.py: no plot {key}: there are {' '.join(plot.key for plot in PLOTS)}")


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.strip())
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--markdown", action="store_true", help="the tables of RESULTS.md")
    what.add_argument("--plot", metavar="NAME", help="one plot, as SVG")
    parser.add_argument("results", help="the file that srcu-bench --benchmark_out wrote")
    options = parser.parse_args()
    try:
        with open(options.results, encoding="utf-8") as file:
            results = Results(file)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"report.py: {options.results}: not srcu-bench's JSON: {error}")
    try:
        if options.markdown:
            text = markdown(results)
        elif options.plot:
            text = one_plot(results, options.plot)
        else:
            text = html_page(results)
    except gnuplot.Failure as error:
        sys.exit(f"report.py: {error}")
    sys.stdout.buffer.write(text.encode())


if __name__ == "__main__":
    main()
