/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Import and export of many messages through the API, and what they take on disk. usage: bench_bulk [MESSAGES]
 * Import is all of it but making the text up: packing, compressing, inserting, committing.
 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <gx/search.h>
#include "bench/scale.h"

#define BATCH_MAX 1000U

static unsigned count = 10000;

/* ---- Import ---- */

static void import_batch(struct gx_store *s, uint64_t fid, struct gx_arena *a, struct gx_msg_source *src, unsigned n,
	int sync)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p[BATCH_MAX];
	struct gx_msg_ids ids;
	for (unsigned k = 0; k < n; k++)
		p[k] = scale_prepare(a, &src[k]);
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	for (unsigned k = 0; k < n; k++)
		scale_need(gx_msg_insert(t, fid, p[k], &o, &ids), "insert");
	scale_commit(t, sync);
	for (unsigned k = 0; k < n; k++)
		gx_msg_prepared_release(p[k]);
}

static void import_mail(struct gx_store *s, unsigned n, unsigned batch, int sync)
{
	static struct gx_msg_source src[BATCH_MAX];
	struct gx_arena *a = gx_arena_new(0);
	struct meter sum = {0, 0};
	uint64_t fid = scale_folder(s, gx_arena_printf(a, "mail %u %d", batch, sync));
	for (unsigned i = 0; i < n; i += batch) {
		gx_arena_reset(a);
		for (unsigned k = 0; k < batch; k++)
			src[k] = scale_mail(a, i + k, SCALE_SMALL);
		struct meter m = meter_now();
		import_batch(s, fid, a, src, batch, sync);
		meter_add(&sum, meter_since(m));
	}
	scale_row("import of mail", sum, n, "\"bytes\": %u, \"batch\": %u, \"flushed\": %s", SCALE_SMALL, batch,
		sync == GX_SYNC_NOW ? "true" : "false");
	gx_arena_free(a);
}

static void write_batch(struct gx_store *s, uint64_t fid, struct gx_msgobj **m, unsigned n)
{
	struct gx_msg_write_opts o = GX_MSG_WRITE_OPTS_INIT;
	struct gx_msg_ids ids;
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	for (unsigned k = 0; k < n; k++)
		scale_need(gx_msg_write(t, fid, m[k], &o, &ids), "write");
	scale_commit(t, GX_SYNC_NOW);
}

/* Objects without an internet message, as synchronisation brings them. */
static void import_objects(struct gx_store *s, unsigned n, unsigned batch)
{
	struct gx_msgobj *m[BATCH_MAX];
	struct gx_arena *a = gx_arena_new(0);
	struct meter sum = {0, 0};
	uint64_t fid = scale_folder(s, gx_arena_printf(a, "objects %u", batch));
	for (unsigned i = 0; i < n; i += batch) {
		gx_arena_reset(a);
		for (unsigned k = 0; k < batch; k++)
			m[k] = scale_object(a, i + k, 1500);
		struct meter t = meter_now();
		write_batch(s, fid, m, batch);
		meter_add(&sum, meter_since(t));
	}
	scale_row("import of objects", sum, n, "\"text_bytes\": 1500, \"batch\": %u, \"flushed\": true", batch);
	gx_arena_free(a);
}

/* ---- Export ---- */

static void export_mail(struct gx_store *s, const char *what, const uint64_t *mids, size_t n)
{
	struct gx_push out = GX_PUSH_INIT;
	uint64_t bytes = 0;
	struct gx_txn *t = NULL;
	struct meter m = meter_now();
	for (size_t i = 0; i < n; i++) {
		if (i % 100 == 0) {
			gx_txn_abort(t);
			t = scale_begin(s, GX_TXN_READ);
		}
		gx_push_clear(&out);
		scale_need(gx_msg_original(t, mids[i], 0, UINT64_MAX, &out), "original");
		bytes += out.len;
	}
	gx_txn_abort(t);
	m = meter_since(m);
	scale_row(what, m, (double)n, "\"mb_per_cpu_s\": %.0f", (double)bytes / 1e6 / m.cpu);
	gx_push_release(&out);
}

static void export_objects(struct gx_store *s, const char *what, const uint64_t *mids, size_t n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_txn *t = NULL;
	struct meter m = meter_now();
	for (size_t i = 0; i < n; i++) {
		struct gx_msgobj *obj;
		if (i % 100 == 0) {
			gx_txn_abort(t);
			t = scale_begin(s, GX_TXN_READ);
		}
		gx_arena_reset(a);
		scale_need(gx_msg_read(t, mids[i], a, &obj), "read");
	}
	gx_txn_abort(t);
	scale_row(what, meter_since(m), (double)n, NULL);
	gx_arena_free(a);
}

static void bench_rates(const char *dir)
{
	size_t n;
	scale_create(dir);
	struct gx_store *s = scale_open(dir, SCALE_INDEX);
	import_mail(s, 1000, 1, GX_SYNC_NOW);
	import_mail(s, count, 1, GX_SYNC_LATER);
	import_mail(s, count, 100, GX_SYNC_NOW);
	import_mail(s, count, 1000, GX_SYNC_NOW);
	import_objects(s, count, 100);
	import_objects(s, count, 1000);
	struct gx_txn *t = scale_begin(s, GX_TXN_READ);
	uint64_t mail, objects;
	scale_need(gx_folder_by_name(t, GX_FID_INBOX, "mail 1000 1", &mail), "folder");
	scale_need(gx_folder_by_name(t, GX_FID_INBOX, "objects 1000", &objects), "folder");
	gx_txn_abort(t);
	uint64_t *mids = scale_mids(s, mail, &n);
	export_mail(s, "export of mail", mids, n);
	export_objects(s, "export of mail as objects", mids, n);
	free(mids);
	mids = scale_mids(s, objects, &n);
	export_objects(s, "export of objects", mids, n);
	free(mids);
	gx_store_close(s);
}

/* ---- Disk ---- */

static void insert_attachment(struct gx_store *s, struct gx_arena *a, unsigned i)
{
	struct gx_msg_source src = scale_mail_attachment(a, i);
	import_batch(s, GX_FID_INBOX, a, &src, 1, GX_SYNC_LATER);
	gx_arena_reset(a);
}

static size_t attachment_size(void)
{
	struct gx_arena *a = gx_arena_new(0);
	size_t n = scale_mail_attachment(a, 0).original.len;
	gx_arena_free(a);
	return n;
}

/* As deliveries come: one a transaction. */
static void bench_disk(const char *dir, bool attachment, unsigned n)
{
	struct gx_arena *a = gx_arena_new(0);
	scale_create(dir);
	struct scale_disk before = scale_disk(dir);
	struct gx_store *s = scale_open(dir, SCALE_INDEX);
	if (attachment)
		for (unsigned i = 0; i < n; i++)
			insert_attachment(s, a, i);
	else
		scale_fill(s, GX_FID_INBOX, 0, n, 1, GX_SYNC_LATER, SCALE_SMALL, NULL);
	gx_store_close(s);
	struct scale_disk d = scale_disk(dir);
	s = scale_open(dir, SCALE_INDEX);
	for (bool done = false; !done;)
		scale_must(gx_store_index(s, 1000, &done), "index");
	gx_store_close(s);
	struct scale_disk with = scale_disk(dir);
	scale_fact("disk",
		"\"messages\": %u, \"bytes\": %zu, \"allocated\": %.0f, \"with_index\": %.0f, \"more_files\": %d", n,
		attachment ? attachment_size() : SCALE_SMALL, (double)(d.bytes - before.bytes) / n,
		(double)(with.bytes - before.bytes) / n, (int)(with.files - before.files));
	gx_arena_free(a);
}

int main(int argc, char **argv)
{
	const char *keep;
	char dir[600], path[700];
	scale_args(argc, argv, "bulk", &count, &keep);
	scale_tmp(dir, keep);
	snprintf(path, sizeof(path), "%s/rates", dir);
	bench_rates(path);
	snprintf(path, sizeof(path), "%s/small", dir);
	bench_disk(path, false, count);
	snprintf(path, sizeof(path), "%s/attachments", dir);
	bench_disk(path, true, count / 10);
	scale_remove(dir);
	return 0;
}
