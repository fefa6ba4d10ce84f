/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: opened, read, changed, saved; new ones. usage: bench_instance [MESSAGES [DIRECTORY]] */
#include <config.h>
#include <stdlib.h>
#include <gx/instance.h>
#include "bench/scale.h"

#define FILE_SIZE 75000U

static unsigned count = 10000;
static const gx_proptag_t tags[] = {PidTagSubject, PidTagMessageClass, PidTagSenderName, PidTagSenderSmtpAddress,
	PidTagMessageFlags, PidTagMessageDeliveryTime, PidTagImportance, PidTagInternetMessageId, PidTagHasAttachments,
	PidTagBody};

static void read_one(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a)
{
	struct gx_proplist l = {0};
	struct gx_proplist *rcpts;
	size_t n;
	scale_need(gx_inst_get_props(t, i, tags, sizeof(tags) / sizeof(tags[0]), 0, a, &l), "get");
	scale_need(gx_inst_rcpts(i, 0, 100, a, &rcpts, &n), "recipients");
}

static void bench_read(struct gx_store *s, const uint64_t *mids)
{
	struct gx_arena *a = gx_arena_new(0);
	struct meter m = meter_now();
	for (unsigned k = 0; k < count; k++) {
		struct gx_inst *i;
		struct gx_txn *t = scale_begin(s, GX_TXN_READ);
		scale_need(gx_inst_open(t, 0, mids[k], GX_INST_READ, &i), "open");
		read_one(t, i, a);
		gx_txn_abort(t);
		gx_inst_free(i);
		gx_arena_reset(a);
	}
	scale_row("opened, ten properties and recipients read", meter_since(m), count, NULL);
	gx_arena_free(a);
}

static void set_three(struct gx_inst *i, struct gx_arena *a, unsigned k)
{
	struct gx_proplist l = {0};
	scale_must(gx_proplist_set_str(&l, a, PidTagSubject, gx_arena_printf(a, "changed, number %u", k)), "memory");
	scale_must(gx_proplist_set_i32(&l, a, PidTagImportance, 2), "memory");
	scale_must(gx_proplist_set_str(&l, a, PidTagComment, "looked at"), "memory");
	scale_need(gx_inst_set_props(i, &l, 0, a, NULL), "set");
}

static void bench_change(struct gx_store *s, const uint64_t *mids)
{
	struct gx_arena *a = gx_arena_new(0);
	struct meter m = meter_now();
	for (unsigned k = 0; k < count; k++) {
		struct gx_inst *i;
		struct gx_txn *t = scale_begin(s, GX_TXN_READ);
		scale_need(gx_inst_open(t, 0, mids[k], GX_INST_WRITE, &i), "open");
		gx_txn_abort(t);
		set_three(i, a, k);
		t = scale_begin(s, GX_TXN_WRITE);
		scale_need(gx_inst_save(t, i, 0, NULL), "save");
		scale_commit(t, GX_SYNC_LATER);
		gx_inst_free(i);
		gx_arena_reset(a);
	}
	scale_row("opened, three properties set, saved", meter_since(m), count, NULL);
	gx_arena_free(a);
}

static void add_file(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, const uint8_t *file)
{
	struct gx_inst *att;
	struct gx_proplist l = {0};
	uint32_t num;
	scale_need(gx_inst_att_new(t, i, &num, &att), "attachment");
	scale_must(gx_proplist_set_str(&l, a, PidTagAttachLongFilename, "p.jpg"), "memory");
	scale_must(gx_proplist_set_i32(&l, a, PidTagAttachMethod, 1), "memory");
	scale_must(gx_proplist_set_bin(&l, a, PidTagAttachDataBinary, file, FILE_SIZE), "memory");
	scale_need(gx_inst_set_props(att, &l, 0, a, NULL), "set");
	scale_need(gx_inst_save(t, att, 0, NULL), "save");
	gx_inst_free(att);
}

static void new_one(struct gx_store *s, struct gx_arena *a, const struct gx_msgobj *m, const uint8_t *file)
{
	struct gx_inst *i;
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	scale_need(gx_inst_new(t, GX_FID_DRAFTS, NULL, &i), "new");
	scale_need(gx_inst_set_props(i, &m->props, 0, a, NULL), "set");
	scale_need(gx_inst_set_rcpts(i, m->rcpts, m->rcpt_count), "recipients");
	if (file != NULL)
		add_file(t, i, a, file);
	gx_txn_abort(t);
	scale_must(gx_inst_prepare(i), "prepare");
	t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_inst_save(t, i, 0, NULL), "save");
	scale_commit(t, GX_SYNC_LATER);
	gx_inst_free(i);
}

static void bench_new(struct gx_store *s, unsigned n, const char *what, bool with_file)
{
	static uint8_t file[FILE_SIZE];
	struct gx_arena *a = gx_arena_new(0);
	struct meter sum = {0, 0};
	for (unsigned k = 0; k < n; k++) {
		struct gx_msgobj *m = scale_object(a, k, 1500);
		struct gx_proplist *r = &m->rcpts[0];
		scale_must(gx_proplist_set_i32(r, a, PidTagRowid, 0), "memory");
		for (unsigned j = 0; with_file && j < FILE_SIZE; j++)
			file[j] = (uint8_t)scale_rnd(256);
		struct meter t = meter_now();
		new_one(s, a, m, with_file ? file : NULL);
		meter_add(&sum, meter_since(t));
		gx_arena_reset(a);
	}
	scale_row(what, sum, n, NULL);
	gx_arena_free(a);
}

int main(int argc, char **argv)
{
	const char *keep;
	char dir[600];
	scale_args(argc, argv, "instance", &count, &keep);
	scale_tmp(dir, keep);
	scale_create(dir);
	struct gx_store *s = scale_open(dir, SCALE_INDEX);
	uint64_t *mids = malloc(count * sizeof(*mids));
	if (mids == NULL)
		scale_die("memory", "out of it");
	scale_fill(s, GX_FID_INBOX, 0, count, 1000, GX_SYNC_LATER, SCALE_SMALL, mids);
	bench_read(s, mids);
	bench_change(s, mids);
	bench_new(s, count, "new, text and a recipient, saved", false);
	bench_new(s, count / 10, "new, with a file of 75 KB, saved", true);
	free(mids);
	gx_store_close(s);
	scale_remove(dir);
	return 0;
}
