/* SPDX-License-Identifier: Apache-2.0 */
/* What the store costs: one JSON object a line. usage: bench_store [DIRECTORY] */
#include <config.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/store.h>

static const struct gx_actor actor = GX_ACTOR_SYSTEM;
static char dir[512];

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_store: %s: %s\n", what, why);
	exit(1);
}

static void need(gx_ec ec, const char *what)
{
	if (gx_ec_failed(ec))
		die(what, gx_ec_name(ec));
}

static double now(void)
{
	return (double)gx_clock_system()->monotonic_ns(NULL) / 1e9;
}

static uint64_t disk;
static int add_size(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)path;
	(void)f;
	if (kind == FTW_F)
		disk += (uint64_t)sb->st_blocks * 512;
	return 0;
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

static uint64_t disk_use(void)
{
	disk = 0;
	if (nftw(dir, add_size, 16, FTW_PHYS) != 0)
		die(dir, "cannot be walked");
	return disk;
}

static struct gx_store *open_store(void)
{
	struct gx_store *s;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	if (gx_store_open(dir, NULL, &s, a, &why) != 0)
		die("open", why);
	gx_arena_free(a);
	return s;
}

static struct gx_txn *begin(struct gx_store *s, int mode)
{
	struct gx_txn *t;
	if (gx_txn_begin(s, &actor, mode, 10000, &t) != 0)
		die("begin", "failed");
	return t;
}

static void commit(struct gx_txn *t, int sync)
{
	if (gx_txn_commit(t, sync) != 0)
		die("commit", "failed");
}

static void set(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const char *s)
{
	if (gx_proplist_set_str(l, a, tag, s) != 0)
		die("memory", "out of it");
}

static void set_i32(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, int32_t v)
{
	if (gx_proplist_set_i32(l, a, tag, v) != 0)
		die("memory", "out of it");
}

static char words[200][12];

/* Mail of @size bytes as people write it: headers of usual length, text of words. */
static const char *mail_text(struct gx_arena *a, unsigned i, size_t size, size_t *ret_head)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	unsigned r = i * 2654435761U + 1;
	gx_strbuf_printf(&b, "Return-Path: <user%u@mail%u.example.org>\r\n"
		"Received: from mx%u.example.net (mx%u.example.net [192.0.2.%u])\r\n\tby mail.example.org (Postfix) with ESMTPS id %08X\r\n"
		"\tfor <u@example.org>; Mon, 16 Nov 2026 10:%02u:%02u +0100 (CET)\r\n"
		"Message-ID: <%08x.%08x@mail%u.example.org>\r\nDate: Mon, 16 Nov 2026 10:%02u:%02u +0100\r\n"
		"From: Some Person %u <user%u@mail%u.example.org>\r\nTo: The Reader <u@example.org>\r\n"
		"Subject: About the matter of number %u and what follows\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\nX-Mailer: Example 1.0\r\n\r\n",
		i % 97, i % 7, i % 5, i % 5, i % 250, r, i % 60, i % 59, r, r ^ 0x5555, i % 7, i % 60, i % 59, i % 97, i % 97, i % 7, i);
	*ret_head = b.len;
	while (b.len < size) {
		r = r * 1103515245U + 12345;
		gx_strbuf_adds(&b, words[r >> 16 & 127]);
		gx_strbuf_adds(&b, (r >> 8 & 15) == 0 ? "\r\n" : " ");
	}
	gx_strbuf_truncate(&b, size);
	const char *s = gx_arena_strdup(a, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return s;
}

static struct gx_msg_prepared *message(struct gx_arena *a, unsigned i, size_t size)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(a);
	size_t head;
	const char *text = mail_text(a, i, size, &head);
	char *from = gx_arena_printf(a, "user%u@mail%u.example.org", i % 97, i % 7);
	char *subject = gx_arena_printf(a, "About the matter of number %u and what follows", i);
	set(&m->props, a, PidTagSubject, subject);
	set(&m->props, a, PidTagNormalizedSubject, subject);
	set(&m->props, a, PidTagMessageClass, "IPM.Note");
	set(&m->props, a, PidTagSenderName, gx_arena_printf(a, "Some Person %u", i % 97));
	set(&m->props, a, PidTagSenderSmtpAddress, from);
	set(&m->props, a, PidTagSenderEmailAddress, from);
	set(&m->props, a, PidTagSenderAddressType, "SMTP");
	set(&m->props, a, PidTagSentRepresentingName, gx_arena_printf(a, "Some Person %u", i % 97));
	set(&m->props, a, PidTagSentRepresentingSmtpAddress, from);
	set(&m->props, a, PidTagSentRepresentingEmailAddress, from);
	set(&m->props, a, PidTagSentRepresentingAddressType, "SMTP");
	set(&m->props, a, PidTagInternetMessageId, gx_arena_printf(a, "<%08x.%08x@mail%u.example.org>", i, i, i % 7));
	set_i32(&m->props, a, PidTagInternetCodepage, 65001);
	set_i32(&m->props, a, PidTagImportance, 1);
	set_i32(&m->props, a, PidTagPriority, 0);
	set_i32(&m->props, a, PidTagSensitivity, 0);
	struct gx_proplist *r = gx_msgobj_add_rcpt(m, a);
	set(r, a, PidTagDisplayName, "The Reader");
	set(r, a, PidTagSmtpAddress, "u@example.org");
	set(r, a, PidTagEmailAddress, "u@example.org");
	set(r, a, PidTagAddressType, "SMTP");
	m->slices[0] = (struct gx_slice_prop){PidTagBody, {head, size - head, 65001, GX_CTE_7BIT}};
	m->slices[1] = (struct gx_slice_prop){PidTagTransportMessageHeaders, {0, head, 65001, GX_CTE_7BIT}};
	src.obj = m;
	src.original = (struct gx_bin){(const uint8_t *)text, size};
	src.envelope.data = (const uint8_t *)gx_arena_printf(a, "(\"Mon, 16 Nov 2026 10:00:00 +0100\" \"%s\" ((\"Some Person %u\" NIL \"user%u\""
		" \"mail.example.org\")) ((\"Some Person\" NIL \"user\" \"mail.example.org\")) NIL ((\"The Reader\" NIL \"u\" \"example.org\"))"
		" NIL NIL NIL \"<%08x.%08x@mail.example.org>\")", subject, i, i, i, i);
	src.envelope.len = strlen((const char *)src.envelope.data);
	src.bodystructure = (struct gx_bin){(const uint8_t *)"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 1512 26 NIL NIL NIL NIL)", 72};
	if (gx_msg_prepare(a, &src, &p) != 0)
		die("prepare", "failed");
	return p;
}

static void insert(struct gx_txn *t, uint64_t fid, const struct gx_msg_prepared *p, unsigned i)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	uint8_t id[16];
	struct gx_msg_ids ids;
	for (unsigned k = 0; k < 16; k++)
		id[k] = (uint8_t)((i + 1) * 2654435761U >> (k % 4 * 8) ^ k * 37);
	memcpy(id, &i, sizeof(i) < 16 ? sizeof(i) : 16);
	id[15] = id[4];
	o.delivery_id = id;
	o.flags = GX_MSGF_RECENT;
	need(gx_msg_insert(t, fid, p, &o, &ids), "insert");
}

/* @batch messages a transaction; preparing is not counted. */
static void bench_insert(struct gx_store *s, uint64_t fid, unsigned first, unsigned n, unsigned batch, int sync, size_t size)
{
	struct gx_arena *a = gx_arena_new(0);
	double spent = 0;
	for (unsigned i = 0; i < n; i += batch) {
		struct gx_msg_prepared *p[1000];
		for (unsigned k = 0; k < batch; k++)
			p[k] = message(a, first + i + k, size);
		double t0 = now();
		struct gx_txn *t = begin(s, GX_TXN_WRITE);
		for (unsigned k = 0; k < batch; k++)
			insert(t, fid, p[k], first + i + k);
		commit(t, sync);
		spent += now() - t0;
		for (unsigned k = 0; k < batch; k++)
			gx_msg_prepared_release(p[k]);
		gx_arena_reset(a);
	}
	printf("{\"bench\":\"insert\",\"bytes\":%zu,\"batch\":%u,\"sync\":%d,\"n\":%u,\"us_per_msg\":%.1f,\"per_s\":%.0f}\n", size, batch,
		sync, n, spent * 1e6 / n, n / spent);
	gx_arena_free(a);
}

static size_t all_mids(struct gx_imapview *v, uint64_t **ret_mids)
{
	size_t n = gx_imapview_count(v);
	uint64_t *m = malloc(n * sizeof(*m));
	for (size_t i = 0; i < n; i++)
		m[i] = gx_imapview_at(v, (uint32_t)i + 1)->mid;
	*ret_mids = m;
	return n;
}

static struct gx_imapview *view(struct gx_store *s, uint64_t fid)
{
	struct gx_imapview *v;
	need(gx_imapview_open(s, &actor, fid, &v), "view");
	return v;
}

static void bench_flags(struct gx_store *s, uint64_t fid)
{
	struct gx_imapview *v = view(s, fid);
	uint64_t *mids;
	size_t n = all_mids(v, &mids);
	if (n > 10000)
		n = 10000;
	for (int round = 0; round < 2; round++) {
		struct gx_flag_change c = {round, GX_MSGF_READ, NULL, UINT64_MAX};
		c.op = round == 0 ? GX_FLAGS_ADD : GX_FLAGS_REMOVE;
		double t0 = now();
		struct gx_txn *t = begin(s, GX_TXN_WRITE);
		need(gx_msg_change_flags(t, fid, mids, n, &c, NULL, NULL, NULL), "flags");
		commit(t, GX_SYNC_LATER);
		double t1 = now();
		need(gx_imapview_refresh(v, true, NULL), "refresh");
		printf("{\"bench\":\"flags\",\"n\":%zu,\"ms\":%.2f,\"refresh_ms\":%.2f}\n", n, (t1 - t0) * 1e3, (now() - t1) * 1e3);
	}
	struct gx_flag_change one = {GX_FLAGS_ADD, GX_MSGF_READ, NULL, UINT64_MAX};
	double t0 = now();
	for (size_t i = 0; i < 1000 && i < n; i++) {
		struct gx_txn *t = begin(s, GX_TXN_WRITE);
		need(gx_msg_change_flags(t, fid, &mids[i], 1, &one, NULL, NULL, NULL), "flags");
		commit(t, GX_SYNC_LATER);
	}
	printf("{\"bench\":\"flag_one\",\"us\":%.1f}\n", (now() - t0) * 1e6 / 1000);
	gx_imapview_close(v);
	free(mids);
}

static void bench_copy(struct gx_store *s, uint64_t src, uint64_t dst, size_t want, int move)
{
	struct gx_imapview *v = view(s, src);
	uint64_t *mids;
	size_t n = all_mids(v, &mids);
	if (n > want)
		n = want;
	double t0 = now();
	struct gx_txn *t = begin(s, GX_TXN_WRITE);
	need(gx_msg_copy(t, src, mids, n, dst, move, NULL), "copy");
	commit(t, GX_SYNC_LATER);
	printf("{\"bench\":\"%s\",\"n\":%zu,\"ms\":%.2f}\n", move ? "move" : "copy", n, (now() - t0) * 1e3);
	gx_imapview_close(v);
	free(mids);
}

static void bench_view(struct gx_store *s, uint64_t fid)
{
	double t0 = now();
	struct gx_imapview *first = view(s, fid);
	double t1 = now();
	uint32_t unseen, seq;
	for (int i = 0; i < 100; i++) {
		struct gx_imapview *v = view(s, fid);
		gx_imapview_unseen(v, &unseen, &seq);
		gx_imapview_close(v);
	}
	printf("{\"bench\":\"view_open\",\"n\":%u,\"first_ms\":%.2f,\"again_us\":%.2f}\n", gx_imapview_count(first), (t1 - t0) * 1e3,
		(now() - t1) * 1e6 / 100);
	gx_imapview_close(first);
}

static void bench_fetch(struct gx_store *s, uint64_t fid)
{
	struct gx_imapview *v = view(s, fid);
	uint64_t *mids, bytes = 0;
	size_t n = all_mids(v, &mids);
	struct gx_push out = GX_PUSH_INIT;
	if (n > 10000)
		n = 10000;
	for (int round = 0; round < 2; round++) {
		double t0 = now();
		for (size_t i = 0; i < n; i += 100) {
			struct gx_txn *t = begin(s, GX_TXN_READ);
			for (size_t k = i; k < n && k < i + 100; k++) {
				struct gx_msg_mime m;
				need(gx_msg_mime(t, mids[k], &m), "mime");
				bytes += m.envelope.len;
			}
			gx_txn_abort(t);
		}
		printf("{\"bench\":\"fetch_envelope\",\"n\":%zu,\"us\":%.2f}\n", n, (now() - t0) * 1e6 / (double)n);
	}
	double t0 = now();
	bytes = 0;
	for (size_t i = 0; i < n; i += 100) {
		struct gx_txn *t = begin(s, GX_TXN_READ);
		for (size_t k = i; k < n && k < i + 100; k++) {
			gx_push_clear(&out);
			need(gx_msg_original(t, mids[k], 0, UINT64_MAX, &out), "original");
			bytes += out.len;
		}
		gx_txn_abort(t);
	}
	printf("{\"bench\":\"fetch_body\",\"n\":%zu,\"us\":%.2f,\"mb_per_s\":%.0f}\n", n, (now() - t0) * 1e6 / (double)n, (double)bytes / 1e6 / (now() - t0));
	gx_push_release(&out);
	gx_imapview_close(v);
	free(mids);
}

static void bench_delete(struct gx_store *s, uint64_t fid)
{
	struct gx_imapview *v = view(s, fid);
	uint64_t *mids;
	size_t n = all_mids(v, &mids);
	double t0 = now();
	struct gx_txn *t = begin(s, GX_TXN_WRITE);
	need(gx_msg_delete(t, fid, mids, n, true), "delete");
	commit(t, GX_SYNC_LATER);
	printf("{\"bench\":\"delete\",\"n\":%zu,\"ms\":%.2f}\n", n, (now() - t0) * 1e3);
	gx_imapview_close(v);
	free(mids);
}

static void bench_create(void)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	o.owner_id = 1;
	o.owner = "u@example.org";
	double t0 = now();
	if (gx_store_create(dir, &o, a, &why) != 0)
		die("create", why);
	double t1 = now();
	gx_store_close(open_store());
	printf("{\"bench\":\"create\",\"ms\":%.2f,\"open_close_ms\":%.2f,\"disk\":%llu}\n", (t1 - t0) * 1e3, (now() - t1) * 1e3,
		(unsigned long long)disk_use());
	gx_arena_free(a);
}

/* What one delivery of its own writes to the log: before any checkpoint. */
static void bench_wal(struct gx_store *s)
{
	char path[600];
	struct stat sb;
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3-wal", dir);
	uint64_t before = stat(path, &sb) == 0 ? (uint64_t)sb.st_size : 0;
	bench_insert(s, GX_FID_JUNK, 900000, 300, 1, GX_SYNC_LATER, 2106);
	if (stat(path, &sb) != 0)
		die(path, "is not there");
	printf("{\"bench\":\"log\",\"bytes\":2106,\"per_msg\":%.0f}\n", (double)((uint64_t)sb.st_size - before) / 300);
}

static uint64_t new_folder(struct gx_store *s, const char *name)
{
	uint64_t fid;
	struct gx_txn *t = begin(s, GX_TXN_WRITE);
	need(gx_folder_create(t, GX_FID_INBOX, name, NULL, GX_FOLDER_GENERIC, NULL, &fid), "folder");
	commit(t, GX_SYNC_LATER);
	return fid;
}

int main(int argc, char **argv)
{
	snprintf(dir, sizeof(dir), "%s/bench-store-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (mkdtemp(dir) == NULL)
		die(dir, "cannot be made");
	for (unsigned i = 0; i < 128; i++)
		for (unsigned k = 0; k < 2 + i % 9; k++)
			words[i][k] = (char)('a' + (i * 31 + k * 17 + i * k) % 26);
	bench_create();
	struct gx_store *s = open_store();
	bench_wal(s);
	gx_store_close(s);
	s = open_store();
	uint64_t d0 = disk_use();
	bench_insert(s, GX_FID_INBOX, 0, 10000, 1, GX_SYNC_LATER, 2106);
	gx_store_close(s);
	printf("{\"bench\":\"disk\",\"bytes\":2106,\"per_msg\":%.0f}\n", (double)(disk_use() - d0) / 10000);
	s = open_store();
	bench_insert(s, new_folder(s, "now"), 20000, 1000, 1, GX_SYNC_NOW, 2106);
	bench_insert(s, new_folder(s, "batch"), 30000, 10000, 100, GX_SYNC_LATER, 2106);
	bench_insert(s, new_folder(s, "larger"), 50000, 2000, 1, GX_SYNC_LATER, 9600);
	bench_flags(s, GX_FID_INBOX);
	bench_fetch(s, GX_FID_INBOX);
	uint64_t copy = new_folder(s, "copy"), big = new_folder(s, "big");
	bench_copy(s, GX_FID_INBOX, copy, 10000, 0);
	for (int i = 0; i < 10; i++)
		bench_copy(s, GX_FID_INBOX, big, 10000, 0);
	bench_copy(s, copy, GX_FID_DRAFTS, 10000, 1);
	bench_view(s, big);
	bench_delete(s, GX_FID_DRAFTS);
	gx_store_close(s);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : 1;
}
