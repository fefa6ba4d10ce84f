/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NET_QUIET_H
#define GX_NET_QUIET_H
/* Trouble that comes in crowds: a line a minute, which says how many were left out, is enough for the log. Under a lock of the owner. */
#include <stdbool.h>
#include <stdint.h>

enum { GX_QUIET_MS = 60000 };

struct gx_quiet {
	bool begun;
	int64_t said_ms;
	unsigned more;               /* since then */
};

/* Is it said? Then *ret_more are those that were not. */
static inline bool gx_quiet__say(struct gx_quiet *q, int64_t now_ms, unsigned *ret_more)
{
	if (q->begun && now_ms - q->said_ms < GX_QUIET_MS) {
		++q->more;
		return false;
	}
	*ret_more = q->more;
	*q = (struct gx_quiet){.begun = true, .said_ms = now_ms};
	return true;
}

#endif
