# SPDX-License-Identifier: MIT
"""Commands for gdb: domains, their readers and their callbacks.

They read the memory of a live process or of a core file and call nothing in it.
"srcu domains" and the sections of domains in debug mode need the debugging information
of libsrcu; the rest is content with the program's.
"""
import os

import gdb

# What the headers and percpu-memory.c have as macros.
STRIDE = 4160
CHUNK_HEADER = 1088
MAGIC = 0x73726375
WORD_UNINIT, WORD_DEAD, WORD_TWIN, WORD_RANK = 1, 4, 8, 16
WORD_SLOT = ~31
OTHER_LIST = 32
DOMAIN_FLAGS = (
    (1, "fenced readers"),
    (2, "atomic counts"),
    (4, "callbacks by the caller"),
    (8, "classic"),
    (0x100, "debug mode"),
)
KIND_SLOTS = 1
OWNER_GONE = 1
RECORD_LIVE, RECORD_STATES = 2, 4
LOCK_NAMES = ("srcu_read_lock", "srcu_read_lock_fast", "srcu_down_read", "srcu_down_read_fast")
BATCHES = ("collected", "waits for the next", "waits for the current", "ready", "being invoked")
LIST_MOST = 1000000


class NoSymbols(gdb.GdbError):
    """The library's own variables are not to be seen."""


def library_symbol(name, file):
    """A static variable of the library's."""
    for symbol in gdb.lookup_static_symbols(name):
        if symbol.symtab.filename.endswith("srcu/" + file):
            return symbol
    raise NoSymbols("libsrcu has no debugging information here: " + name + " is not to be found")


def library_variable(name, file):
    return library_symbol(name, file).value()


def u64(address):
    """A word of the process; 0 where it has no memory, which has never been counted on."""
    try:
        data = gdb.selected_inferior().read_memory(address, 8)
    except gdb.MemoryError:
        return 0
    order = "big" if "big" in gdb.execute("show endian", to_string=True) else "little"
    return int.from_bytes(bytes(data), order)


def signed(value):
    """What is left of a difference of two counts."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def place(pc):
    """The code at an address as function, file and line, as far as that is known."""
    block, line = gdb.block_for_pc(pc), gdb.find_pc_line(pc)
    functions = []
    while block:
        if block.function:
            functions.append(block.function)
        block = block.superblock
    # What is inlined there, such as the reader, is not asked for, and the line is its own.
    if functions and line.symtab:
        file = os.path.basename(functions[-1].symtab.filename)
        at = "%s:%d" % (file, line.line) if len(functions) == 1 else file
        return "%s (%s)" % (functions[-1].name, at)
    symbol = gdb.execute("info symbol %d" % pc, to_string=True)
    return "%#x" % pc if symbol.startswith("No symbol") else symbol.split(" in section")[0]


def thread_name(tid):
    for thread in gdb.selected_inferior().threads():
        if tid in thread.ptid[1:]:
            return "thread %d (gdb's %d)" % (tid, thread.num)
    return "thread %d, which has exited" % tid


class Domain:
    """A struct srcu_struct in the process."""

    def __init__(self, value):
        self.value = value
        self.address = int(value.address)
        if int(value["magic_"]) != MAGIC:
            raise gdb.GdbError("%#x is no domain, or is not initialised" % self.address)

    def __getitem__(self, member):
        return int(self.value[member])

    def name(self):
        name = self.value["name_"]
        return "'%s'" % name.string() if int(name) else "without a name"

    def title(self):
        return "domain %s (%#x)" % (self.name(), self.address)

    def slot(self):
        word = self["word_"]
        return 0 if word & (WORD_TWIN | WORD_UNINIT) and not word & WORD_SLOT else word & WORD_SLOT

    def counts(self, rank):
        """(where, locks, unlocks) of all places that a rank is counted in."""
        twin = int(self.value["twin_"][rank].address)
        yield "twin", u64(twin), u64(twin + 8)
        for cpu in range(self["cpus_"] if self.slot() else 0):
            at = self.slot() + rank * WORD_RANK + cpu * STRIDE
            yield "CPU %d" % cpu, u64(at), u64(at + 8)

    def open(self, rank):
        """How many sections of a rank are under way."""
        return signed(sum(locks - unlocks for _, locks, unlocks in self.counts(rank)))

    def state(self):
        word = self["word_"]
        if word & WORD_DEAD:
            return "cleaned up"
        if word & WORD_UNINIT and not word & ~WORD_UNINIT:
            return "not used yet"
        return ", ".join(text for flag, text in DOMAIN_FLAGS if self["flags_"] & flag)

    def grace_period(self):
        if self["started_"] == self["done_"]:
            return "%d grace periods, none under way" % self["done_"]
        ranks = [str(rank) for rank in range(2) if self["gp_pending_"] >> rank & 1]
        waits = "waits for rank %s" % " and ".join(ranks) if ranks else "is about to end"
        return "grace period %d %s" % (self["started_"], waits)

    def sections(self):
        """The sections on record."""
        records = library_variable("records", "section.c")
        low, high = records.type.range()
        for i in range(low, high + 1):
            section = records[i]["section"]
            if (int(records[i]["state"]) % RECORD_STATES == RECORD_LIVE
                    and int(section["ssp"]) == self.address):
                yield section

    def heads(self, first, last):
        """The callbacks of a list; only its last one tells where it ends."""
        head = first
        for _ in range(LIST_MOST):
            if not int(head):
                return
            yield head
            if int(head) == last:
                return
            head = head["next_"]

    def callbacks(self):
        """(where, list of heads) for each list that has some."""
        pointer = gdb.lookup_type("struct srcu_head").pointer()
        lists = self["lists_"]
        for cpu in range(self["lists_mark_"] if lists else 0):
            heads = []
            for at in (lists, lists ^ OTHER_LIST):
                at += cpu * STRIDE
                if u64(at + 8):
                    heads += self.heads(gdb.Value(u64(at)).cast(pointer), u64(at + 8))
            yield "queued on CPU %d" % cpu, heads
        yield "queued", list(self.heads(self.value["pushed_"], 0))
        for nr, where in enumerate(BATCHES):
            batch = self.value["batches_"][nr]
            last = int(batch["last"])
            if nr in (1, 2):
                where = "grace period %d" % int(batch["number"])
            yield where, list(self.heads(batch["first"], last)) if last else []

    def queued(self):
        """How many callbacks call_srcu() ever took."""
        lists, total = self["lists_"], self["pushed_count_"]
        for cpu in range(self["lists_mark_"] if lists else 0):
            total += u64(lists + cpu * STRIDE + 16) + u64((lists ^ OTHER_LIST) + cpu * STRIDE + 16)
        return total


def chunks():
    """The chunks of per-CPU memory that have domains' slots."""
    window = int(library_variable("window_word", "percpu-memory.c"))
    symbol = library_symbol("chunks_open", "percpu-memory.c")
    chunk_type = gdb.lookup_type("struct chunk", symbol.symtab.static_block())
    page = os.sysconf("SC_PAGESIZE")
    size = CHUNK_HEADER + (int(library_variable("possible_cpus", "setup.c")) + 1) * STRIDE
    size = (size + page - 1) // page * page
    for k in range(int(symbol.value())):
        chunk = gdb.Value((window & ~63) + (k + 1) * size).cast(chunk_type.pointer())
        if int(chunk["kind"]) == KIND_SLOTS:
            yield chunk


def all_domains():
    """Every domain that has been initialised or used."""
    pointer = gdb.lookup_type("struct srcu_struct").pointer()
    found = set()
    for chunk in chunks():
        low, high = chunk["owner"].type.range()
        for unit in range(low, high + 1):
            owner = int(chunk["owner"][unit])
            if owner and not owner & OWNER_GONE:
                found.add(owner)
    domain = library_variable("domains", "slotless.c")
    while int(domain):
        found.add(int(domain))
        domain = domain["next_slotless_"]
    return [Domain(gdb.Value(at).cast(pointer).dereference()) for at in sorted(found)]


def chosen(argument):
    """The domain that an expression names, or all of them."""
    if not argument:
        return all_domains()
    value = gdb.parse_and_eval(argument)
    if value.type.strip_typedefs().code != gdb.TYPE_CODE_STRUCT:
        value = value.cast(gdb.lookup_type("struct srcu_struct").pointer()).dereference()
    return [Domain(value)]


def print_domain(domain):
    backlog = domain.queued() - domain["invoked_"]
    print("%s: %d reader(s); %s; %d callback(s) left%s" % (
        domain.title(), domain.open(0) + domain.open(1), domain.grace_period(), backlog,
        "; " + domain.state() if domain.state() else ""))


def print_readers(domain):
    print("%s: %s" % (domain.title(), domain.grace_period()))
    current = 1 if domain["word_"] & WORD_RANK else 0
    for rank in range(2):
        print("  rank %d%s: %d open" % (
            rank, ", current" if rank == current else "", domain.open(rank)))
        for where, locks, unlocks in domain.counts(rank):
            if locks != unlocks:
                print("    %s: %d locks, %d unlocks" % (where, locks, unlocks))
    if not domain["flags_"] & 0x100:
        return
    for section in sorted(domain.sections(), key=lambda section: int(section["since_ns"])):
        print("  %s: %s at %s" % (
            thread_name(int(section["thread"])), LOCK_NAMES[int(section["kind"])],
            place(int(section["site"]) - 1)))


def print_backlog(domain):
    queued, invoked = domain.queued(), domain["invoked_"]
    print("%s: %d callback(s) left, %d queued, %d invoked" % (
        domain.title(), queued - invoked, queued, invoked))
    for where, heads in domain.callbacks():
        functions = {}
        for head in heads:
            function = int(head["func_"])
            functions[function] = functions.get(function, 0) + 1
        for function, count in functions.items():
            print("  %s: %d of %s" % (where, count, place(function)))


class Srcu(gdb.Command):
    """What libsrcu knows of the process: srcu domains, srcu readers, srcu backlog."""

    def __init__(self):
        super().__init__("srcu", gdb.COMMAND_DATA, prefix=True)


class ForDomains(gdb.Command):
    """A command that prints something of one domain, or of all."""

    def __init__(self, name, show):
        super().__init__("srcu " + name, gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)
        self.show = show

    def invoke(self, argument, _from_tty):
        for domain in chosen(argument):
            self.show(domain)


class Domains(ForDomains):
    """List the domains: readers, grace period, callbacks, mode.

srcu domains"""


class Readers(ForDomains):
    """Show where a domain's readers are counted, and its sections in debug mode.

srcu readers [DOMAIN]
DOMAIN is an expression: a struct srcu_struct or its address.  Without it: all."""


class Backlog(ForDomains):
    """Show the callbacks that have not been invoked, by list and function.

srcu backlog [DOMAIN]
DOMAIN is an expression: a struct srcu_struct or its address.  Without it: all."""


Srcu()
Domains("domains", print_domain)
Readers("readers", print_readers)
Backlog("backlog", print_backlog)
