# SPDX-License-Identifier: MIT
"""
Litmus tests in C11, as far as they are understood: a part of what herd7 takes, and anything
else is refused with file and line.  A file has

    C NAME
    {}
    P0(atomic_int* x, ...) { ... }
    filter (...)
    exists (...)

The initial state is empty: all locations are zero.  Threads are numbered from 0, and their
lines, without branches and loops, are

    int r = atomic_load_explicit(x, ORDER);
    int r = atomic_fetch_add_explicit(x, CONSTANT, ORDER);
    atomic_store_explicit(x, CONSTANT, ORDER);
    atomic_thread_fence(ORDER);

The filter may be missing; executions that do not satisfy it do not count.  Conditions are
made of 0:r=1 (a variable of P0), x=1 (a location, at the end), ~, /\\, \\/ and parentheses.
Not supported are accesses that are not atomic, stores of what was loaded, compare and
exchange, consume.
"""

import re

TOKEN = re.compile(
    r"(?P<blank>\s+|\(\*.*?\*\)|/\*.*?\*/)|(?P<token>\w+|/\\|\\/|[(){};,*=:~])", re.S)
NAME, NUMBER, ORDER = r"[a-z_]\w*", r"\d{1,9}", r"memory_order_\w+"
ORDERS = {
    "atomic_load_explicit": {"relaxed", "acquire", "seq_cst"},
    "atomic_store_explicit": {"relaxed", "release", "seq_cst"},
    "atomic_fetch_add_explicit": {"relaxed", "acquire", "release", "acq_rel", "seq_cst"},
    "atomic_thread_fence": {"acquire", "release", "acq_rel", "seq_cst"},
}


class Refused(Exception):
    """The file is not one of those that are understood."""


class Event:
    """A load (R), a store (W) or a fence (F); a read-modify-write is a load and a store."""

    def __init__(self, number, thread, kind, place, order, value=0):
        self.number, self.thread, self.kind = number, thread, kind
        self.place, self.order, self.value = place, order, value
        self.load = None  # of a read-modify-write's store: its other half


class Program:
    """What a file says: its name, events, filter and exists."""

    def __init__(self, path, text):
        self.path, self.line, self.tokens = path, 1, []
        first, _, rest = text.partition("\n")
        self.name = first.removeprefix("C ")
        if not re.fullmatch(r"C [\w+.-]+", first):
            raise self.refusal("the first line is not C NAME")
        self.split(rest)
        self.events, self.registers, self.places, self.threads = [], {}, {}, 0
        self.take("{")
        self.take("}")
        while self.tokens[0][0] == f"P{self.threads}":
            self.thread()
        for place in self.places:
            self.places[place] = self.event(None, "W", place, None)
        self.filter = self.clause("filter") if self.tokens[0][0] == "filter" else lambda end: True
        self.exists = self.clause("exists")
        self.take("end of file")

    def refusal(self, what):
        return Refused(f"{self.path}:{self.line}: {what}")

    def split(self, text):
        at, self.line = 0, 2
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise self.refusal(f"{text[at]!r} is not understood")
            if match["token"]:
                self.tokens.append((match["token"], self.line))
            self.line += match[0].count("\n")
            at = match.end()
        self.tokens.append(("end of file", self.line))

    def take(self, *words, form=None):
        """The next token, which is one of the words, or of that form."""
        token, self.line = self.tokens[0]
        if token not in words and not (form and re.fullmatch(form, token)):
            raise self.refusal(f"{token!r} instead of {' or '.join(words) or form}")
        return self.tokens.pop(0)[0] if len(self.tokens) > 1 else token

    def event(self, *fields):
        self.events.append(Event(len(self.events), *fields))
        return self.events[-1]

    def thread(self):
        self.take(f"P{self.threads}")
        self.take("(")
        parameters, more = set(), ","
        while more == ",":
            self.take("atomic_int")
            self.take("*")
            parameters.add(self.take(form=NAME))
            more = self.take(",", ")")
        self.places.update(dict.fromkeys(sorted(parameters)))
        self.take("{")
        while self.tokens[0][0] != "}":
            self.statement(parameters)
        self.take("}")
        self.threads += 1

    def statement(self, parameters):
        register, place, value = None, None, 0
        function = self.take("int", "atomic_store_explicit", "atomic_thread_fence")
        if function == "int":
            name = self.take(form=NAME)
            register = f"{self.threads}:{name}"
            if name in parameters or register in self.registers:
                raise self.refusal(f"{name} is there already")
            self.take("=")
            function = self.take("atomic_load_explicit", "atomic_fetch_add_explicit")
        self.take("(")
        if function != "atomic_thread_fence":
            place = self.take(*sorted(parameters))
            self.take(",")
        if function in ("atomic_store_explicit", "atomic_fetch_add_explicit"):
            value = int(self.take(form=NUMBER))
            self.take(",")
        order = self.take(form=ORDER).removeprefix("memory_order_")
        if order not in ORDERS[function]:
            raise self.refusal(f"{function} with memory_order_{order}")
        self.take(")")
        self.take(";")
        if not place:
            self.event(self.threads, "F", None, order)
        if register:
            self.registers[register] = self.event(self.threads, "R", place, order)
        if place and function != "atomic_load_explicit":
            store = self.event(self.threads, "W", place, order, value)
            store.load = self.registers.get(register)

    def clause(self, word):
        self.take(word)
        self.take("(")
        condition = self.either()
        self.take(")")
        return condition

    def joined(self, sign, part, holds):
        terms = [part()]
        while self.tokens[0][0] == sign:
            self.take(sign)
            terms.append(part())
        return lambda end: holds(term(end) for term in terms)

    def either(self):
        return self.joined("\\/", self.both, any)

    def both(self):
        return self.joined("/\\", self.one, all)

    def one(self):
        name = self.take("~", "(", form=f"{NAME}|{NUMBER}")
        if name == "~":
            denied = self.one()
            return lambda end: not denied(end)
        if name == "(":
            condition = self.either()
            self.take(")")
            return condition
        if name.isdigit():
            name += self.take(":") + self.take(form=NAME)
        if name not in self.registers and name not in self.places:
            raise self.refusal(f"there is no {name}")
        self.take("=")
        value = int(self.take(form=NUMBER))
        return lambda end: end[name] == value
