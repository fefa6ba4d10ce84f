/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storedump DIR: what a store says, as text that two stores or two versions of a program can be
 * compared by. Everything comes through the public interface. Messages are looked for by their ids,
 * so that softly deleted and associated ones are found too. Nothing is rendered: what the store does
 * not have yet may come out differently another day.
 */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/store.h>
#include "tests/storesample.h"

enum { ID_FIRST = 0x100, ID_END = 0x2000, SHORT = 120 };

static struct gx_arena *arena;
static struct gx_txn *txn;

static void must(int err, const char *what, const char *why)
{
	if (err == 0)
		return;
	fprintf(stderr, "storedump: %s: %s\n", what, why != NULL && *why != '\0' ? why : gx_strerror(err));
	exit(EXIT_FAILURE);
}

static uint32_t crc32_of(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t crc = 0xffffffff;
	while (n-- > 0) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; ++bit)
			crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
	}
	return ~crc;
}

static void put_value(uint16_t type, const union gx_value *v)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	if (type == PtypBinary && v->bin.len * 2 > SHORT) {
		printf(" %zu bytes, crc %08" PRIx32 "\n", v->bin.len, crc32_of(v->bin.data, v->bin.len));
		return;
	}
	gx_value_print(&b, type, v);
	const char *s = gx_strbuf_cstr(&b);
	if (b.len > SHORT || strpbrk(s, "\r\n") != NULL)
		printf(" %zu characters, crc %08" PRIx32 "\n", b.len, crc32_of(s, b.len));
	else
		printf(" %s\n", s);
	gx_strbuf_release(&b);
}

static int by_tag(const void *x, const void *y)
{
	const struct gx_propval *a = x, *b = y;
	return (a->tag > b->tag) - (a->tag < b->tag);
}

static int by_name(const void *x, const void *y)
{
	const struct gx_named_propval *a = x, *b = y;
	int r = gx_guid_cmp(&a->name.set, &b->name.set);
	if (r != 0)
		return r;
	if (a->name.by_name != b->name.by_name)
		return a->name.by_name ? 1 : -1;
	return a->name.by_name ? strcmp(a->name.name, b->name.name)
			       : (a->name.lid > b->name.lid) - (a->name.lid < b->name.lid);
}

static void put_props(struct gx_proplist *l, const char *indent)
{
	if (l->count > 0)
		qsort(l->v, l->count, sizeof(*l->v), by_tag);
	for (size_t i = 0; i < l->count; ++i) {
		printf("%s%08" PRIx32, indent, l->v[i].tag);
		put_value(GX_PROP_TYPE(l->v[i].tag), &l->v[i].v);
	}
}

static void put_object(struct gx_msgobj *m, const char *indent)
{
	const char *deeper = gx_arena_printf(arena, "%s  ", indent);
	put_props(&m->props, indent);
	if (m->named_count > 0)
		qsort(m->named, m->named_count, sizeof(*m->named), by_name);
	for (size_t i = 0; i < m->named_count; ++i) {
		char guid[37];
		gx_guid_print(&m->named[i].name.set, guid);
		printf("%s%s:%" PRIx32 ":%s %04x", indent, guid, m->named[i].name.lid,
			m->named[i].name.by_name ? m->named[i].name.name : "", m->named[i].type);
		put_value(m->named[i].type, &m->named[i].v);
	}
	for (size_t i = 0; i < m->rcpt_count; ++i) {
		printf("%srecipient %zu\n", indent, i);
		put_props(&m->rcpts[i], deeper);
	}
	for (size_t i = 0; i < m->att_count; ++i) {
		printf("%sattachment %zu\n", indent, i);
		put_props(&m->atts[i].props, deeper);
		if (m->atts[i].embedded != NULL) {
			printf("%sembedded message\n", deeper);
			put_object(m->atts[i].embedded, gx_arena_printf(arena, "%s  ", deeper));
		}
	}
}

static void put_keywords(uint32_t kwset)
{
	const char *const *names;
	if (gx_ec_failed(gx_store_keywords(gx_txn_store(txn), kwset, arena, &names)))
		printf(" keywords unknown");
	else
		for (; *names != NULL; ++names)
			printf(" %s", *names);
}

static void put_original(uint64_t mid)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_msg_mime mime;
	gx_ec ec = gx_msg_original(txn, mid, 0, UINT64_MAX, &out);
	if (gx_ec_failed(ec)) {
		printf("  original: %s\n", gx_txn_why(txn));
	} else {
		printf("  original: %zu bytes, crc %08" PRIx32 "\n", out.len, crc32_of(out.data, out.len));
		if (!gx_ec_failed(gx_msg_mime(txn, mid, &mime)))
			printf("  envelope crc %08" PRIx32 ", structure crc %08" PRIx32 ", size %" PRIu64 "\n",
				crc32_of(mime.envelope.data, mime.envelope.len),
				crc32_of(mime.bodystructure.data, mime.bodystructure.len), mime.size);
	}
	gx_push_release(&out);
}

static void put_message(uint64_t mid)
{
	static const gx_proptag_t keys[] = {PidTagChangeKey, PidTagPredecessorChangeList};
	struct gx_msg_info i;
	struct gx_msgobj *m;
	struct gx_proplist l;
	char when[32];
	gx_arena_reset(arena);
	gx_ec ec = gx_msg_get(txn, mid, &i);
	if (gx_ec_is(ec, ecNotFound))
		return;
	must(gx_ec_to_err(ec), "message", gx_txn_why(txn));
	gx_nttime_print(i.received, when);
	printf("message %" PRIx64 ": folder %" PRIx64 " uid %" PRIu32 " flags %" PRIx32 " size %" PRIu64
	       " received %s change %" PRIx64,
		i.mid, i.fid, i.uid, i.flags, i.size, when, i.cn);
	put_keywords(i.kwset);
	putchar('\n');
	ec = gx_msg_read(txn, mid, arena, &m);
	if (gx_ec_failed(ec)) {
		printf("  cannot be read: %s\n", gx_txn_why(txn));
		return;
	}
	put_object(m, "  ");
	must(gx_ec_to_err(gx_msg_get_props(txn, mid, keys, 2, arena, &l)), "keys", gx_txn_why(txn));
	put_props(&l, "  ");
	put_original(mid);
}

static void put_rights(const struct gx_folder_info *f, struct gx_store *s)
{
	static const char *const who[] = {"alice@example.org", "bob@example.org", ""};
	for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); ++i) {
		struct gx_actor actor = {.user = who[i]};
		struct gx_txn *t;
		uint32_t rights = 0;
		must(gx_txn_begin(s, &actor, GX_TXN_READ, 1000, &t), "begin", NULL);
		must(gx_ec_to_err(gx_folder_rights(t, f->fid, &rights)), "rights", gx_txn_why(t));
		gx_txn_abort(t);
		if (rights != 0)
			printf("  \"%s\" has %" PRIx32 "\n", who[i], rights);
	}
}

static void put_vanished(uint64_t fid)
{
	uint32_t *v;
	size_t n;
	must(gx_ec_to_err(gx_folder_vanished(txn, fid, 0, arena, &v, &n)), "vanished", gx_txn_why(txn));
	for (size_t i = 0; i < n; ++i)
		printf("%s%" PRIu32 "%s", i == 0 ? "  gone:" : " ", v[i], i + 1 == n ? "\n" : "");
}

static void put_folder(const struct gx_folder_info *f, struct gx_store *s)
{
	static const gx_proptag_t tags[] = {PidTagComment, PidTagChangeKey};
	struct gx_proplist l;
	printf("folder %" PRIx64 " in %" PRIx64 ": \"%s\" class \"%s\" type %u%s%s use \"%s\"\n", f->fid, f->parent,
		f->name, f->container_class, f->type, f->hidden ? " hidden" : "", f->subscribed ? " subscribed" : "",
		f->special_use == NULL ? "" : f->special_use);
	printf("  uidvalidity %" PRIu32 " uidnext %" PRIu32 " modseq %" PRIx64 " total %" PRIu64 " unread %" PRIu64
	       " fai %" PRIu64 " deleted %" PRIu64 " size %" PRIu64 " subfolders %" PRIu32 "\n",
		f->uidvalidity, f->uidnext, f->highest_modseq, f->total, f->unread, f->fai, f->deleted_count, f->size,
		f->subfolders);
	must(gx_ec_to_err(gx_folder_get_props(txn, f->fid, tags, 2, arena, &l)), "folder", gx_txn_why(txn));
	put_props(&l, "  ");
	put_rights(f, s);
	put_vanished(f->fid);
	must(dump_more_folder(txn, arena, f), f->name, gx_txn_why(txn));
}

static void put_reader(struct gx_store *s)
{
	static const struct gx_actor alice = {.user = "alice@example.org"};
	struct gx_txn *t;
	must(gx_txn_begin(s, &alice, GX_TXN_READ, 1000, &t), "begin", NULL);
	for (uint64_t mid = ID_FIRST; mid < ID_END; ++mid)
		must(dump_more_message(t, arena, mid), "message", gx_txn_why(t));
	gx_txn_abort(t);
}

static void put_store(struct gx_store *s)
{
	static const gx_proptag_t tags[] = {PidTagComment, PidTagMessageSizeExtended, PidTagStoreRecordKey};
	struct gx_folder_info root, *v;
	struct gx_proplist l;
	char guid[37];
	size_t n;
	gx_guid_print(gx_store_replica(s), guid);
	printf("%s store, replica %s\n", gx_store_is_public(s) ? "public" : "private", guid);
	must(gx_ec_to_err(gx_store_get_props(txn, tags, 3, arena, &l)), "store", gx_txn_why(txn));
	put_props(&l, "  ");
	must(dump_more_store(txn, arena), "settings", gx_txn_why(txn));
	must(gx_ec_to_err(gx_folder_get(txn, GX_FID_ROOT, arena, &root)), "root", gx_txn_why(txn));
	put_folder(&root, s);
	must(gx_ec_to_err(gx_folder_list(txn, GX_FID_ROOT, true, arena, &v, &n)), "folders", gx_txn_why(txn));
	for (size_t i = 0; i < n; ++i)
		put_folder(&v[i], s);
	for (uint64_t mid = ID_FIRST; mid < ID_END; ++mid)
		put_message(mid);
	if (gx_store_is_public(s))
		put_reader(s);
}

static void on_finding(const char *line, void *ctx)
{
	printf("finding: %s\n", line);
}

int main(int argc, char **argv)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_actor actor = GX_ACTOR_SYSTEM;
	struct gx_store *s;
	const char *why = "";
	arena = gx_arena_new(0);
	if (argc != 2 || arena == NULL) {
		fprintf(stderr, "usage: storedump DIR\n");
		return 2;
	}
	o.owner_program = "storedump";
	must(gx_store_open(argv[1], &o, &s, arena, &why), argv[1], why);
	long found = gx_store_verify(s, on_finding, NULL);
	must(found < 0 ? (int)found : 0, "verify", NULL);
	must(gx_txn_begin(s, &actor, GX_TXN_READ, 1000, &txn), "begin", NULL);
	put_store(s);
	gx_txn_abort(txn);
	gx_store_close(s);
	gx_arena_free(arena);
	return 0;
}
