/* SPDX-License-Identifier: MIT */
/*
 * Static probes for tracers, of provider libsrcu, with two arguments each.  One
 * that nobody traces is a nop.  Without <sys/sdt.h> there are none.
 */
#ifndef SRCU_PROBE_H
#define SRCU_PROBE_H

#ifdef HAVE_SYS_SDT_H
#include <sys/sdt.h>
#define PROBE(name, a, b) DTRACE_PROBE2(libsrcu, name, a, b)
#else
#define PROBE(name, a, b) ((void)(a), (void)(b))
#endif

#endif /* SRCU_PROBE_H */
