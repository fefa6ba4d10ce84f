/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/store-int.h"

/*
 * Content files go late: only when the commit that gave them up is durable, or a power loss would
 * bring back rows that name them, and when readers with an older view are done.
 */

static bool all_flushed(struct gx_store *s)
{
	pthread_mutex_lock(&s->flush.lock);
	bool all = s->flush.flushed == s->flush.committed;
	pthread_mutex_unlock(&s->flush.lock);
	return all;
}

void gx_store__sweep(struct gx_store *s, int64_t min_age_ms)
{
	struct gx_txn *t;
	if (!atomic_load(&s->sweep) || gx_txn__look(s, 0, &t) != 0)
		return;
	int err = 0;
	if (all_flushed(s) && gx_content__sweep_due(t->c->cio, min_age_ms))
		err = gx_content__sweep(t->c->cio, t->q, min_age_ms);
	if (err != 0)
		gx_log(s->log, GX_LOG_WARN, "%s", gx_cio__why(t->c->cio));
	atomic_store(&s->sweep, gx_content__sweep_due(t->c->cio, 0));
	gx_txn_abort(t);
}

int gx_store__collect(struct gx_store *s)
{
	struct gx_sql *q = s->writer->q;
	int err = gx_sql__begin(q, true);
	if (err != 0)
		return err;
	long n = gx_content__collect(s->writer->cio, q);
	if (n < 0)
		gx_log(s->log, GX_LOG_WARN, "%s", gx_cio__why(s->writer->cio));
	else if (n > 0)
		gx_log(s->log, GX_LOG_NOTICE, "%s: %ld content files without owner removed", s->dir, n);
	err = gx_sql__rollback(q);
	return err != 0 || n < 0 ? err : gx_store__unmark(s, q);
}
