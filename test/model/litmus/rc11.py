#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Decides litmus tests in C11 (program.py) by the axioms of RC11: is there a consistent
execution that ends as the exists clause says?  Prints what herd7 prints of that,

    Observation NAME Never|Sometimes|Always POSITIVE NEGATIVE

with the number of consistent executions that end so, and that do not.

The axioms are those of Lahav, Vafeiadis, Kang, Hur and Dreyer, "Repairing sequential
consistency in C/C++11", PLDI 2017, and so are the names of relations.  As there, and in C11
but not in C20, later stores of the same thread belong to a release sequence; and there is
no load buffering, which both standards allow.

All candidates are looked at: each load takes its value from each store to its location, and
the stores to a location come in each order that keeps those of their threads.

usage: rc11.py FILE...
"""

import itertools
import sys

sys.dont_write_bytecode = True

from program import Program, Refused  # noqa: E402

RELEASES = {"release", "acq_rel", "seq_cst"}
ACQUIRES = {"acquire", "acq_rel", "seq_cst"}


class Relation:
    """Pairs of events: for each event, the set of those that it is related to, as bits."""

    def __init__(self, rows):
        self.rows = rows

    def __or__(self, other):
        return Relation([a | b for a, b in zip(self.rows, other.rows)])

    def __and__(self, other):
        return Relation([a & b for a, b in zip(self.rows, other.rows)])

    def __sub__(self, other):
        return Relation([a & ~b for a, b in zip(self.rows, other.rows)])

    def __matmul__(self, other):
        """First this, then the other: the paper's semicolon."""
        rows = []
        for row in self.rows:
            ends = 0
            while row:
                ends |= other.rows[(row & -row).bit_length() - 1]
                row &= row - 1
            rows.append(ends)
        return Relation(rows)

    def inverse(self):
        size = range(len(self.rows))
        return Relation([sum((self.rows[a] >> b & 1) << a for a in size) for b in size])

    def maybe(self):
        """The paper's question mark: or the event itself."""
        return Relation([row | 1 << at for at, row in enumerate(self.rows)])

    def plus(self):
        """The transitive closure."""
        rows = self.rows
        for via in range(len(rows)):
            rows = [row | rows[via] if row >> via & 1 else row for row in rows]
        return Relation(rows)

    def reflexive(self):
        return any(row >> at & 1 for at, row in enumerate(self.rows))


class RC11:
    """The axioms, for the events of one program."""

    def __init__(self, events):
        def pairs(test):
            return Relation([sum(test(a, b) << b.number for b in events) for a in events])

        def those(test):
            return pairs(lambda a, b: a is b and test(a))

        self.events = events
        self.sb = pairs(lambda a, b: b.thread is not None and (
            a.thread is None or (a.thread == b.thread and a.number < b.number)))
        self.loc = pairs(lambda a, b: a.place is not None and a.place == b.place)
        self.rmw = pairs(lambda a, b: b.load is a)
        self.same = those(lambda e: True)
        self.fence = those(lambda e: e.kind == "F")
        self.store = those(lambda e: e.kind == "W")
        self.release = those(lambda e: e.kind != "R" and e.order in RELEASES)
        self.acquire = those(lambda e: e.kind != "W" and e.order in ACQUIRES)
        self.sc = those(lambda e: e.order == "seq_cst")
        self.sc_fence = self.sc & self.fence

    def relate(self, pairs):
        rows = [0] * len(self.events)
        for a, b in pairs:
            rows[a.number] |= 1 << b.number
        return Relation(rows)

    def consistent(self, rf, mo):
        sb, fence, sc_fence = self.sb, self.fence, self.sc_fence
        if (sb | rf).plus().reflexive():  # NO-THIN-AIR
            return False
        rb = rf.inverse() @ mo - self.same
        if (self.rmw & rb @ mo).rows != [0] * len(self.events):  # ATOMICITY
            return False
        eco = (rf | mo | rb).plus()
        rs = (self.store @ (sb & self.loc).maybe() @ self.store
              @ (rf @ self.rmw).plus().maybe())
        sw = (self.release @ (fence @ sb).maybe() @ rs @ rf
              @ (sb @ fence).maybe() @ self.acquire)
        hb = (sb | sw).plus()
        if (hb @ eco.maybe()).reflexive():  # COHERENCE
            return False
        sb_elsewhere = sb - self.loc
        scb = sb | sb_elsewhere @ hb @ sb_elsewhere | hb & self.loc | mo | rb
        psc_base = (self.sc | sc_fence @ hb.maybe()) @ scb @ (self.sc | hb.maybe() @ sc_fence)
        psc_fence = sc_fence @ (hb | hb @ eco @ hb) @ sc_fence
        return not (psc_base | psc_fence).plus().reflexive()  # SC


def interleavings(queues):
    """All orders of what is in the queues that keep the order of each."""
    if not any(queues):
        yield []
    for at, queue in enumerate(queues):
        if queue:
            for tail in interleavings(queues[:at] + [queue[1:]] + queues[at + 1:]):
                yield [queue[0]] + tail


def values(sources):
    """
    What each load has, by the store that it takes it from; a read-modify-write's store adds
    to what its own load has.  None when a value comes from itself.
    """
    found = {}
    for first in sources:
        load, found[first] = first, 0
        for _ in sources:
            store = sources[load]
            found[first] += store.value
            load = store.load
            if not load:
                break
        else:
            return None
    return found


def observe(program):
    """How many consistent executions are as exists says, and how many are not."""
    rc11 = RC11(program.events)
    stores = {place: [] for place in program.places}
    for event in program.events:
        if event.kind == "W" and event.thread is not None:
            stores[event.place].append(event)
    orders = [[[first] + order for order in interleavings(
        [[e for e in stores[place] if e.thread == thread] for thread in range(program.threads)])]
        for place, first in program.places.items()]
    loads = list(program.registers.values())
    choices = [[program.places[load.place]] + stores[load.place] for load in loads]
    count = {True: 0, False: 0}
    for taken in itertools.product(*choices):
        found = values(dict(zip(loads, taken)))
        if found is None:
            continue
        rf = rc11.relate((store, load) for load, store in zip(loads, taken))
        for order in itertools.product(*orders):
            end = {register: found[load] for register, load in program.registers.items()}
            for line in order:
                last = line[-1]
                end[last.place] = last.value + found.get(last.load, 0)
            if not program.filter(end):
                continue
            mo = rc11.relate(pair for line in order for pair in itertools.combinations(line, 2))
            if rc11.consistent(rf, mo):
                count[program.exists(end)] += 1
    return count[True], count[False]


def verdict(path):
    with open(path, encoding="ascii") as file:
        program = Program(path, file.read())
    positive, negative = observe(program)
    if not positive and not negative:
        raise Refused(f"{path}: no execution satisfies the filter")
    word = "Never" if not positive else "Sometimes" if negative else "Always"
    return f"Observation {program.name} {word} {positive} {negative}"


def main():
    status = 0
    for path in sys.argv[1:]:
        try:
            print(verdict(path))
        except (OSError, UnicodeDecodeError, Refused) as error:
            print(error, file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
