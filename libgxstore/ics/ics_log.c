/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/ics/ics-int.h"

/* A line about each synchronisation: what was asked for, and what comes of it. */

static const char *who(const struct gx_txn *t)
{
	return t->actor->user == NULL ? "the system" : t->actor->user;
}

static unsigned long long ids(const struct gx_globset *s)
{
	unsigned long long n = 0;
	struct gx_globset_iter it;
	struct gx_idrange r;
	if (s == NULL)
		return 0;
	for (gx_globset_iter(s, &it); gx_globset_next(&it, &r);)
		n += r.hi - r.lo + 1;
	return n;
}

void gx_ics__log_content(struct gx_txn *t, uint64_t fid, const struct gx_ics_content_opts *o, const struct gx_ics_content *c, int err)
{
	const struct gx_log *log = t->s->o.ics_log;
	if (log == NULL)
		return;
	unsigned long long given = ids(o->given), f = (unsigned long long)fid;
	if (err != 0) {
		gx_log(log, GX_LOG_NOTICE, "%s: contents of %llx for %s, who has %llu: %s", t->s->dir, f, who(t), given, gx_strerror(err));
		return;
	}
	gx_log(log, GX_LOG_NOTICE, "%s: contents of %llx for %s, who has %llu: %zu changed, %llu deleted, %llu out of scope, %llu read, "
		"%llu unread; up to %llu", t->s->dir, f, who(t), given, gx_ics_content_count(c),
		ids(&c->set[GX_ICS_DELETED]), ids(&c->set[GX_ICS_NOLONGER]),
		ids(&c->set[GX_ICS_READ]), ids(&c->set[GX_ICS_UNREAD]),
		(unsigned long long)c->sum.last_cn);
}

void gx_ics__log_hierarchy(struct gx_txn *t, uint64_t fid, const struct gx_globset *given, const struct gx_ics_hierarchy *h, gx_ec ec)
{
	const struct gx_log *log = t->s->o.ics_log;
	if (log == NULL)
		return;
	unsigned long long had = ids(given), f = (unsigned long long)fid;
	if (gx_ec_failed(ec))
		gx_log(log, GX_LOG_NOTICE, "%s: folders below %llx for %s, who has %llu: %s", t->s->dir, f, who(t), had, gx_ec_name(ec));
	else
		gx_log(log, GX_LOG_NOTICE, "%s: folders below %llx for %s, who has %llu: %zu changed, %llu deleted; up to %llu", t->s->dir, f,
			who(t), had, gx_ics_hierarchy_count(h), ids(gx_ics_hierarchy_set(h, GX_ICS_DELETED)),
			(unsigned long long)gx_ics_hierarchy_last_cn(h));
}
