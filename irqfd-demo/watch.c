/* SPDX-License-Identifier: MIT */
/*
 * Showing a run while it lasts; watch.h.
 */
#include "watch.h"

#include "report.h"
#include "view.h"

#include <string.h>
#include <time.h>

#define LOOK_NS          10000000u
#define LOOKS_PER_VIEW   25
#define LINE_INTERVAL_NS 1000000000u

enum show {
	SHOW_NOTHING,
	SHOW_LINES,
	SHOW_VIEW,
};

static struct view view;

static enum show how_to_show(const struct run_options *options)
{
	if (options->json && strcmp(options->json, "-") == 0)
		return SHOW_NOTHING;
	return view_possible() ? SHOW_VIEW : SHOW_LINES;
}

static void show_now(enum show show, struct progress *progress)
{
	struct moment moment;

	if (show == SHOW_VIEW) {
		view_look(&view);
		if (view.looks < LOOKS_PER_VIEW)
			return;
	}
	progress_next(progress, &moment);
	if (show == SHOW_VIEW)
		view_draw(&view, &moment);
	else if (show == SHOW_LINES)
		report_line(&moment);
}

/* Wait until @until.  Returns true when one of the signals has come. */
static bool wait_until(uint64_t until, const sigset_t *ends)
{
	uint64_t now = now_ns(), wait = until > now ? until - now : 0;
	struct timespec ts = {(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)};

	return sigtimedwait(ends, NULL, &ts) >= 0;
}

double watch(const struct run_options *options, const struct lapic *lapics,
	const struct mailbox *peers, const sigset_t *ends)
{
	enum show show = how_to_show(options);
	uint64_t interval = show == SHOW_VIEW ? LOOK_NS : LINE_INTERVAL_NS, next, now, end;
	struct progress progress;

	if (show == SHOW_VIEW)
		view_begin(&view, options, lapics);
	if (show == SHOW_LINES) {
		report_heading(options);
		report_columns();
	}
	progress_begin(&progress, peers);
	end = progress.began_ns + (uint64_t)(options->duration * 1e9);
	next = progress.began_ns + interval;
	while ((now = now_ns()) < end) {
		if (wait_until(next < end ? next : end, ends))
			break;
		now = now_ns();
		if (now < next)
			continue;
		show_now(show, &progress);
		next += interval * ((now - next) / interval + 1);
	}
	return (double)(now_ns() - progress.began_ns) / 1e9;
}
