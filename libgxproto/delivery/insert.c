/* SPDX-License-Identifier: Apache-2.0 */
/* Messages into one store, in one transaction when all goes well. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pipeline-int.h"

enum { WRITER_WAIT_MS = 30000 };

/** The message itself is refused, now and ever. All else passes, by itself or by an administrator's hand. */
static bool is_final(int err)
{
	return err == GX_E_LIMIT || err == GX_E_DEPTH || err == GX_E_RANGE || err == GX_E_ENCODING || err == GX_E_INVAL;
}

/** The whole mailbox cannot be written now. */
static bool concerns_all(int err)
{
	return err == GX_E_IO || err == GX_E_BUSY || err == GX_E_TIMEOUT || err == GX_E_NOSPACE;
}

static void set_why(struct gx_drop *x, const char *why)
{
	free(x->why);
	x->why = strdup(why);
}

static void all(struct gx_drop **v, size_t n, int err, const char *why, bool final)
{
	for (size_t i = 0; i < n; ++i) {
		v[i]->err = err;
		v[i]->final = final;
		set_why(v[i], why != NULL ? why : gx_strerror(err));
	}
}

static void take_result(struct gx_drop *x, gx_ec ec, const char *detail)
{
	char why[500];
	/* Delivered before the last crash. */
	if (!gx_ec_failed(ec) || gx_ec_is(ec, ecDuplicateObject)) {
		x->err = 0;
		return;
	}
	x->err = gx_ec_to_err(ec);
	x->final = gx_ec_is(ec, ecQuotaExceeded) || is_final(x->err);
	snprintf(why, sizeof(why), "%s%s%s", gx_ec_text(ec), detail[0] != '\0' ? ": " : "", detail);
	set_why(x, why);
}

/** All in one round trip where the store is another process's. @return whether the transaction can go on. */
static bool insert_all(struct gx_txn *t, struct gx_drop **v, size_t n)
{
	struct gx_msg_insertion in[GX_DELIVERY_BATCH];
	struct gx_msg_insert_opts o[GX_DELIVERY_BATCH];
	for (size_t i = 0; i < n; ++i) {
		o[i] = (struct gx_msg_insert_opts)GX_MSG_INSERT_OPTS_INIT;
		o[i].received = gx_nttime_from_unix(v[i]->job->env.received_unix, 0);
		o[i].delivery_id = v[i]->job->rec->id;
		in[i] = (struct gx_msg_insertion){.msg = v[i]->job->prep.msg, .o = &o[i]};
	}
	gx_ec ec = gx_msg_insert_many(t, GX_FID_INBOX, in, n);
	for (size_t i = 0; i < n; ++i)
		take_result(v[i], gx_ec_failed(ec) && !gx_ec_failed(in[i].ec) ? ec : in[i].ec, gx_txn_why(t));
	return !gx_ec_failed(ec);
}

static void in_one_transaction(struct gx_store *s, struct gx_drop **v, size_t n);

/** One spoilt the transaction, so each gets its own. */
static void one_by_one(struct gx_store *s, struct gx_drop **v, size_t n)
{
	for (size_t i = 0; i < n; ++i) {
		in_one_transaction(s, v + i, 1);
		if (v[i]->final || !concerns_all(v[i]->err))
			continue;
		/* It would only take time to hear the same of the others. */
		all(v + i + 1, n - i - 1, v[i]->err, v[i]->why, false);
		return;
	}
}

static void in_one_transaction(struct gx_store *s, struct gx_drop **v, size_t n)
{
	static const struct gx_actor system_actor = GX_ACTOR_SYSTEM;
	struct gx_txn *t;
	int ret = gx_txn_begin(s, &system_actor, GX_TXN_WRITE, WRITER_WAIT_MS, &t);
	if (ret != 0) {
		all(v, n, ret, NULL, false);
		return;
	}
	if (!insert_all(t, v, n)) {
		gx_txn_abort(t);
		if (n > 1)
			one_by_one(s, v, n);
		return;
	}
	ret = gx_txn_commit(t, GX_SYNC_LATER);
	if (ret != 0)
		all(v, n, ret, NULL, false);
}

/** Moves what can be prepared to the front. @return their number. */
static size_t prepare_all(struct gx_delivery *d, struct gx_drop **v, size_t n)
{
	size_t good = 0;
	for (size_t i = 0; i < n; ++i) {
		struct gx_drop *x = v[i];
		int ret = gx_mailjob__use(d, x->job);
		if (ret != 0) {
			/* GX_E_FORMAT: the journal's record is damaged. */
			all(&x, 1, ret, NULL, is_final(ret) || ret == GX_E_FORMAT);
			continue;
		}
		v[i] = v[good];
		v[good++] = x;
	}
	return good;
}

/** Before anything is prepared, which is most of the work. */
static bool reach(struct gx_delivery *d, const char *dir, struct gx_drop **v, size_t n, struct gx_arena *scratch)
{
	const char *why = NULL;
	int ret = gx_store_pool_reach(d->pool, dir, scratch, &why);
	if (ret != 0)
		all(v, n, ret, why, false);
	return ret == 0;
}

bool gx_delivery__insert(struct gx_delivery *d, const char *dir, struct gx_drop **v, size_t n, struct gx_arena *scratch)
{
	struct gx_store *s;
	const char *why = NULL;
	if (!reach(d, dir, v, n, scratch))
		return false;
	size_t good = prepare_all(d, v, n);
	if (good == 0)
		return true;
	int ret = gx_store_pool_get(d->pool, dir, &s, scratch, &why);
	if (ret != 0) {
		/* A mailbox that the directory knows comes back: wait for it. */
		all(v, good, ret, why, false);
	} else {
		in_one_transaction(s, v, good);
		gx_store_pool_put(d->pool, s);
	}
	bool failed = false;
	for (size_t i = 0; i < good; ++i) {
		failed = failed || (!v[i]->final && concerns_all(v[i]->err));
		gx_mailjob__unuse(d, v[i]->job);
	}
	/* it may have gone since */
	return !failed || gx_store_pool_reach(d->pool, dir, scratch, &why) == 0;
}
