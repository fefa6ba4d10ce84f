/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storesample DIR: makes DIR/private and DIR/public, two small stores with something of everything.
 *
 * storesample --more DIR: with rules, searches, kept sort orders and settings, too. One archive of that is kept in
 * tests/data for each version of the schema (see test_upgrade.py); 1 and 2 had none of the latter.
 *
 * storesample --empty VERSION DIR: the same without contents, in an older schema.
 */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/bodyconv.h>
#include <gx/delivery.h>
#include <gx/namedprop.h>
#include <gx/store.h>
#include "tests/storesample.h"

static struct gx_arena *arena;
static struct gx_txn *txn;
static bool full;
static int64_t now_ns = INT64_C(1767225600) * 1000000000; /* 2026-01-01, a second more each time it is asked */

static int64_t tick(void *ctx)
{
	return now_ns += 1000000000;
}
static const struct gx_clock test_clock = {tick, tick, NULL};

static void must(int err, const char *what, const char *why)
{
	if (err == 0)
		return;
	fprintf(stderr, "storesample: %s: %s\n", what, why != NULL && *why != '\0' ? why : gx_strerror(err));
	exit(EXIT_FAILURE);
}

static void ok(gx_ec ec, const char *what)
{
	if (gx_ec_failed(ec))
		must(GX_E_INTERNAL, what, *gx_txn_why(txn) != '\0' ? gx_txn_why(txn) : gx_ec_name(ec));
}

static struct gx_store *make(const char *dir, bool public_store)
{
	struct gx_store_create_opts c = GX_STORE_CREATE_OPTS_INIT;
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_store *s;
	const char *why = "";
	c.public_store = public_store;
	c.owner = public_store ? "example.org" : "sample@example.org";
	c.owner_id = public_store ? 3 : 5;
	must(gx_store_create(dir, &c, arena, &why), dir, why);
	o.clock = &test_clock;
	o.render = gx_mail_render;
	o.convert = gx_bodyconv;
	o.owner_program = "storesample";
	must(gx_store_open(dir, &o, &s, arena, &why), dir, why);
	return s;
}

static void begin(struct gx_store *s)
{
	static const struct gx_actor me = GX_ACTOR_SYSTEM;
	must(gx_txn_begin(s, &me, GX_TXN_WRITE, 1000, &txn), "begin", NULL);
}

static void commit(void)
{
	must(gx_txn_commit(txn, GX_SYNC_NOW), "commit", NULL);
}

/* ---- Bytes that do not compress, and mail made of them ---- */

static struct gx_bin noise(uint32_t seed, size_t n)
{
	uint8_t *p = gx_arena_alloc(arena, n);
	must(p == NULL ? GX_E_NOMEM : 0, "noise", NULL);
	for (size_t i = 0; i < n; ++i) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24);
	}
	return (struct gx_bin){p, n};
}

static void put_base64(struct gx_push *out, struct gx_bin b)
{
	static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < b.len; i += 3) {
		uint32_t v = (uint32_t)b.data[i] << 16 | (uint32_t)(i + 1 < b.len ? b.data[i + 1] : 0) << 8 |
			(i + 2 < b.len ? b.data[i + 2] : 0);
		for (unsigned k = 0; k < 4; ++k)
			gx_push_u8(out, i + k > b.len ? '=' : (uint8_t)abc[v >> (18 - 6 * k) & 63]);
		if (i / 3 % 19 == 18 || i + 3 >= b.len)
			gx_push_str(out, "\r\n");
	}
}

static void put_head(struct gx_push *out, unsigned i, const char *more)
{
	gx_push_printf(out,
		"From: =?utf-8?q?S=C3=B6ren?= <soren%u@example.net>\r\nTo: Sample <sample@example.org>, "
		"other@example.org\r\n"
		"Subject: sample %u\r\nDate: Thu, 1 Jan 2026 10:%02u:00 +0100\r\nMessage-ID: "
		"<s%u@example.net>\r\nX-Priority: %u\r\n%s",
		i, i, i % 60, i, i % 5 + 1, more);
}

static void put_attachment(struct gx_push *out, const char *name, struct gx_bin data)
{
	gx_push_printf(out,
		"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"%s\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		name);
	put_base64(out, data);
}

static void put_plain(struct gx_push *out, unsigned i)
{
	put_head(out, i, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	for (unsigned k = 0; k < 10 + 20 * (i % 7); ++k)
		gx_push_printf(out, "Line %u of message %u, with some w\xc3\xb6rds in it.\r\n", k, i);
}

/* HTML and text; with an attachment of @size bytes, the same for all with the same size. */
static void put_rich(struct gx_push *out, unsigned i, size_t size)
{
	put_head(out, i,
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
		"multipart/alternative; boundary=c\r\n\r\n"
		"--c\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: "
		"quoted-printable\r\n\r\nGr=FC=DFe\r\n"
		"--c\r\nContent-Type: text/html; "
		"charset=utf-8\r\n\r\n<html><body><p>Greetings</p></body></html>\r\n--c--\r\n");
	put_attachment(out, "noise.bin", noise((uint32_t)size, size));
	gx_push_str(out, "--b--\r\n");
}

static void put_forward(struct gx_push *out, unsigned i)
{
	put_head(out, i,
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: "
		"text/plain\r\n\r\nsee below\r\n"
		"--a\r\nContent-Type: message/rfc822\r\n\r\n");
	put_rich(out, i + 1, 3000);
	gx_push_str(out, "\r\n--a--\r\n");
}

static uint64_t insert(
	uint64_t fid, struct gx_msg_prepared *p, uint32_t flags, const char *const *keywords, unsigned delivery)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	uint8_t id[16] = {(uint8_t)delivery, 0xde};
	o.flags = flags;
	o.keywords = keywords;
	o.delivery_id = delivery == 0 ? NULL : id;
	ok(gx_msg_insert(txn, fid, p, &o, &ids), "insert");
	gx_msg_prepared_release(p);
	return ids.mid;
}

static uint64_t mail(uint64_t fid, struct gx_push *out, uint32_t flags, const char *const *keywords, unsigned delivery)
{
	struct gx_mail_prepared p;
	must(gx_mail_prepare(
		     arena, NULL, &test_clock, (struct gx_bin){gx_arena_memdup(arena, out->data, out->len), out->len}, &p),
		"mail", NULL);
	gx_push_clear(out);
	return insert(fid, p.msg, flags, keywords, delivery);
}

/* ---- Objects that never were mail ---- */

static struct gx_msgobj *object(const char *cls, const char *subject)
{
	struct gx_msgobj *m = gx_msgobj_new(arena);
	struct gx_propname place = GX_LID(PidLidLocation), words = GX_STR(PidNameKeywords);
	static const union gx_value word[] = {{.str = "red"}, {.str = "gr\xc3\xbcn"}};
	int err = m == NULL ? GX_E_NOMEM : gx_proplist_set_str(&m->props, arena, PidTagMessageClass, cls);
	err = err != 0 ? err : gx_proplist_set_str(&m->props, arena, PidTagSubject, subject);
	err = err != 0 ? err : gx_proplist_set_str(&m->props, arena, PidTagBody, "A body without mail.\r\n");
	err = err != 0 ? err : gx_proplist_set_time(&m->props, arena, PidTagClientSubmitTime, UINT64_C(134117388000000000));
	err = err != 0 ? err : gx_msgobj_set_named(m, arena, &place, PtypString, (union gx_value){.str = "Room 7"});
	err = err != 0 ? err : gx_msgobj_set_named(m, arena, &words, PtypMultipleString, (union gx_value){.mv = {word, 2}});
	must(err, "object", NULL);
	return m;
}

static void add_parts(struct gx_msgobj *m)
{
	struct gx_proplist *r = gx_msgobj_add_rcpt(m, arena);
	struct gx_bin big = noise(9, 20000), huge = noise(11, 140000);
	must(r == NULL ? GX_E_NOMEM : gx_proplist_set_str(r, arena, PidTagSmtpAddress, "alice@example.org"), "recipient",
		NULL);
	must(gx_proplist_set_i32(r, arena, PidTagRecipientType, 1), "recipient", NULL);
	must(gx_proplist_set_bin(&m->props, arena, PidTagHtml, big.data, big.len), "body", NULL);
	struct gx_attach *at = gx_msgobj_add_attach(m, arena);
	must(at == NULL ? GX_E_NOMEM : gx_proplist_set_bin(&at->props, arena, PidTagAttachDataBinary, huge.data, huge.len),
		"attachment", NULL);
	must(gx_proplist_set_str(&at->props, arena, PidTagAttachLongFilename, "huge.bin"), "attachment", NULL);
	at = gx_msgobj_add_attach(m, arena);
	must(at == NULL ? GX_E_NOMEM : gx_proplist_set_i32(&at->props, arena, PidTagAttachMethod, 5), "attachment", NULL);
	at->embedded = object("IPM.Note", "inside");
}

static uint64_t put(uint64_t fid, struct gx_msgobj *m, uint32_t flags)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	src.obj = m;
	must(gx_msg_prepare(arena, &src, &p), "prepare", NULL);
	return insert(fid, p, flags, NULL, 0);
}

/* ---- What happens in the private store ---- */

struct ids {
	uint64_t projects, deep, old, m[40];
	unsigned n;
};

static uint64_t folder(uint64_t parent, const char *name, const char *cls)
{
	struct gx_proplist props = {0};
	uint64_t fid;
	must(gx_proplist_set_str(&props, arena, PidTagComment, gx_arena_printf(arena, "about %s", name)), "comment", NULL);
	ok(gx_folder_create(txn, parent, name, cls, GX_FOLDER_GENERIC, &props, &fid), "folder");
	return fid;
}

static void make_folders(struct ids *x)
{
	struct gx_proplist props = {0};
	x->projects = folder(GX_FID_IPMSUBTREE, "Projects", "IPF.Note");
	x->deep = folder(folder(x->projects, "\xc3\x96" "ffentlich", "IPF.Note"), "Deep", "IPF.Note");
	x->old = folder(x->projects, "Old", "IPF.Note");
	folder(GX_FID_CALENDAR, "Birthdays", "IPF.Appointment");
	ok(gx_folder_set_subscribed(txn, x->projects, true), "subscribe");
	ok(gx_folder_set_permission(
		   txn, x->projects, "Alice@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE | GX_RIGHT_EDIT_OWN, false),
		"rights");
	ok(gx_folder_set_permission(txn, x->projects, "default", GX_RIGHT_VISIBLE, false), "rights");
	ok(gx_folder_set_permission(txn, x->projects, "", 0, false), "rights");
	ok(gx_folder_set_permission(txn, x->deep, "bob@example.org", GX_RIGHTS_ALL, false), "rights");
	must(gx_proplist_set_str(&props, arena, PidTagComment, "a store of the tests"), "comment", NULL);
	must(gx_proplist_set_i32(&props, arena, GX_PROP_TAG(0x666a, PtypInteger32), 1024 * 1024), "quota", NULL);
	ok(gx_store_set_props(txn, &props), "properties");
}

static void make_messages(struct ids *x)
{
	static const char *const words[] = {"$label1", "Travel", NULL}, *const one[] = {"$Junk", NULL};
	struct gx_push out = GX_PUSH_INIT;
	for (unsigned i = 0; i < 12; ++i) {
		put_plain(&out, i);
		x->m[x->n++] = mail(GX_FID_INBOX, &out, i % 3 == 0 ? GX_MSGF_READ : 0, i == 4 ? words : i == 5 ? one : NULL, i + 1);
	}
	for (unsigned i = 12; i < 16; ++i) {
		put_rich(&out, i, i % 2 == 0 ? 2000 : 40000);
		x->m[x->n++] = mail(x->projects, &out, GX_MSGF_RECENT, NULL, 0);
	}
	put_forward(&out, 16);
	x->m[x->n++] = mail(x->projects, &out, GX_MSGF_READ | GX_MSGF_ANSWERED | GX_MSGF_FLAGGED, words, 0);
	put_plain(&out, 17);
	x->m[x->n++] = mail(x->old, &out, 0, NULL, 0);
	gx_push_release(&out);
	struct gx_msgobj *m = object("IPM.Appointment", "meeting");
	add_parts(m);
	x->m[x->n++] = put(GX_FID_CALENDAR, m, GX_MSGF_READ);
	x->m[x->n++] = put(GX_FID_CALENDAR, object("IPM.Appointment", "walk"), GX_MSGF_READ | GX_MSGF_UNSENT);
	x->m[x->n++] = put(GX_FID_INBOX, object("IPM.RuleOrganizer", "rules"), GX_MSGF_FAI);
	x->m[x->n++] = put(GX_FID_DRAFTS, object("IPM.Note", "draft"), GX_MSGF_DRAFT | GX_MSGF_UNSENT);
}

static void change_things(struct ids *x)
{
	struct gx_flag_change c = {
		.op = GX_FLAGS_ADD, .flags = GX_MSGF_READ | GX_MSGF_FORWARDED, .unchanged_since = UINT64_MAX};
	struct gx_proplist props = {0};
	struct gx_msg_ids copies[3];
	struct gx_push out = GX_PUSH_INIT;
	ok(gx_msg_change_flags(txn, GX_FID_INBOX, x->m, 4, &c, arena, NULL, NULL), "flags");
	ok(gx_msg_copy(txn, GX_FID_INBOX, x->m + 2, 3, x->deep, false, copies), "copy");
	ok(gx_msg_copy(txn, GX_FID_INBOX, x->m + 2, 1, GX_FID_SENT, false, copies + 1), "copy");
	must(gx_proplist_set_str(&props, arena, PidTagSubject, "another subject"), "subject", NULL);
	ok(gx_msg_set_props(txn, copies[0].mid, &props), "properties");
	ok(gx_msg_copy(txn, GX_FID_INBOX, x->m + 5, 2, x->projects, true, NULL), "move");
	ok(gx_msg_delete(txn, GX_FID_INBOX, x->m + 7, 1, true), "delete");
	ok(gx_msg_delete(txn, GX_FID_INBOX, x->m + 8, 2, false), "delete");
	ok(gx_msg_delete(txn, x->projects, x->m + 13, 1, false), "delete");
	ok(gx_folder_delete(txn, x->old, false), "delete folder");
	ok(gx_msg_original(txn, x->m[19], 0, UINT64_MAX, &out), "render");
	gx_push_release(&out);
}

static void fill_private(const char *dir)
{
	struct ids x = {.n = 0};
	struct gx_store *s = make(dir, false);
	begin(s);
	make_folders(&x);
	commit();
	begin(s);
	make_messages(&x);
	commit();
	begin(s);
	change_things(&x);
	commit();
	if (full) {
		begin(s);
		ok(sample_more_private(txn, arena, x.projects, x.m), "more");
		commit();
	}
	gx_store_close(s);
}

static void fill_more_public(struct gx_store *s, uint64_t fid, uint64_t mid)
{
	static const struct gx_actor alice = {.user = "alice@example.org"};
	begin(s);
	ok(sample_more_public(txn, arena, fid), "more");
	commit();
	must(gx_txn_begin(s, &alice, GX_TXN_WRITE, 1000, &txn), "begin", NULL);
	ok(sample_read_public(txn, mid), "read");
	commit();
}

static void fill_public(const char *dir)
{
	struct gx_store *s = make(dir, true);
	struct gx_push out = GX_PUSH_INIT;
	begin(s);
	uint64_t fid = folder(GX_FID_PUB_IPMSUBTREE, "News", "IPF.Note");
	ok(gx_folder_set_permission(txn, fid, "default", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false), "rights");
	put_plain(&out, 1);
	uint64_t mid = mail(fid, &out, 0, NULL, 0);
	put_rich(&out, 2, 5000);
	mail(fid, &out, 0, NULL, 0);
	commit();
	gx_push_release(&out);
	if (full)
		fill_more_public(s, fid, mid);
	gx_store_close(s);
}

static void make_empty(const char *dir, bool public_store, unsigned version)
{
	struct gx_store_create_opts c = GX_STORE_CREATE_OPTS_INIT;
	const char *why = "";
	c.public_store = public_store;
	c.owner = "sample@example.org";
	c.owner_id = 5;
	c.schema_version = version;
	must(gx_store_create(dir, &c, arena, &why), dir, why);
}

int main(int argc, char **argv)
{
	arena = gx_arena_new(0);
	if (argc == 4 && arena != NULL && strcmp(argv[1], "--empty") == 0) {
		unsigned version = (unsigned)strtoul(argv[2], NULL, 10);
		make_empty(gx_arena_printf(arena, "%s/private", argv[3]), false, version);
		make_empty(gx_arena_printf(arena, "%s/public", argv[3]), true, version);
		gx_arena_free(arena);
		return 0;
	}
	full = argc == 3 && strcmp(argv[1], "--more") == 0;
	argv += full;
	if (argc != 2 + full || arena == NULL) {
		fprintf(stderr, "usage: storesample [--more] DIR\n");
		return 2;
	}
	fill_private(gx_arena_printf(arena, "%s/private", argv[1]));
	fill_public(gx_arena_printf(arena, "%s/public", argv[1]));
	gx_arena_free(arena);
	return 0;
}
