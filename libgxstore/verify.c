/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/storecheck.h>
#include "libgxstore/store-int.h"

/* The checker (storecheck/) for callers that want lines of text. */

struct lines {
	void (*report)(const char *line, void *ctx);
	void *ctx;
};

static void on_finding(const struct gx_store_finding *f, void *ctx)
{
	const struct lines *l = ctx;
	char line[768];
	snprintf(line, sizeof(line), "%s: %s", f->check, f->text);
	if (l->report != NULL)
		l->report(line, l->ctx);
}

long gx_store_verify(struct gx_store *s, void (*report)(const char *line, void *ctx), void *ctx)
{
	struct lines l = {report, ctx};
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	o.found = on_finding;
	o.ctx = &l;
	int err = gx_store_check(s, &o, &r);
	return err != 0 ? err : (long)r.found;
}
