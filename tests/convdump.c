/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convdump DIR: everything in a store as JSON, for comparison with what it was converted from. Ids and
 * tags are hexadecimal keys; values as tests/gromoxgen.py writes down what it expects.
 */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/storeset.h>
#include "libgxstore/store-int.h"
#include <gx/propcodec.h>

enum { BIN_SHORT = 64, TEXT_SHORT = 200 };

static struct gx_arena *arena;
static struct gx_txn *txn;
static bool first = true;

static void must(int err, const char *what, const char *why)
{
	if (err == 0)
		return;
	fprintf(stderr, "convdump: %s: %s\n", what, why != NULL && *why != '\0' ? why : gx_strerror(err));
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

/* ---- JSON ---- */

static void put_text(const char *s)
{
	putchar('"');
	for (; *s != '\0'; ++s) {
		unsigned char ch = (unsigned char)*s;
		if (ch == '"' || ch == '\\')
			printf("\\%c", ch);
		else if (ch < 0x20)
			printf("\\u%04x", ch);
		else
			putchar(ch);
	}
	putchar('"');
}

static void open_with(char c)
{
	putchar(c);
	first = true;
}

static void close_with(char c)
{
	putchar(c);
	first = false;
}

static void next(void)
{
	if (!first)
		fputs(",\n", stdout);
	first = false;
}

static void key(const char *fmt, ...) GX_PRINTF(1, 2);
static void key(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	next();
	put_text(buf);
	putchar(':');
}

static void number(const char *name, uint64_t v)
{
	key("%s", name);
	printf("%" PRIu64, v);
}

static void text(const char *name, const char *s)
{
	key("%s", name);
	put_text(s == NULL ? "" : s);
}

static void flag(const char *name, bool v)
{
	key("%s", name);
	fputs(v ? "true" : "false", stdout);
}

static void put_hex(struct gx_bin b)
{
	for (size_t i = 0; i < b.len; ++i)
		printf("%02x", b.data[i]);
}

static void put_bin(struct gx_bin b)
{
	putchar('"');
	if (b.len > BIN_SHORT)
		printf("%zu bytes %08" PRIx32, b.len, crc32_of(b.data, b.len));
	else
		put_hex(b);
	putchar('"');
}

/* Restrictions in the form that Gromox keeps them in. */
static struct gx_bin narrow(const struct gx_restr *r)
{
	const struct gx_px px = {.cp = 65001, .a = arena};
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	gx_px_push_restr(&out, &px, r);
	must(gx_push_finish(&out, arena, &b), "restriction", NULL);
	gx_push_release(&out);
	return b;
}

static void put_guid(const struct gx_guid *g)
{
	char s[37];
	gx_guid_print(g, s);
	put_text(s);
}

static void put_value(uint16_t type, const union gx_value *v)
{
	if (type & GX_MV_FLAG) {
		putchar('[');
		for (uint32_t i = 0; i < v->mv.count; ++i) {
			if (i > 0)
				putchar(',');
			put_value(type & ~GX_MV_FLAG, &v->mv.v[i]);
		}
		putchar(']');
		return;
	}
	switch (type) {
	case PtypInteger16: printf("%d", v->i16); break;
	case PtypInteger32: printf("%" PRId32, v->i32); break;
	case PtypErrorCode: printf("%" PRIu32, v->err); break;
	case PtypBoolean: fputs(v->b ? "true" : "false", stdout); break;
	case PtypInteger64:
	case PtypCurrency: printf("%" PRId64, v->i64); break;
	case PtypTime: printf("%" PRIu64, v->time); break;
	case PtypFloating32: printf("%.9g", (double)v->f32); break;
	case PtypFloating64:
	case PtypFloatingTime: printf("%.17g", v->f64); break;
	case PtypGuid: put_guid(&v->guid); break;
	case PtypRestriction: put_bin(narrow(v->restr)); break;
	case PtypString:
	case PtypString8:
		if (strlen(v->str) > TEXT_SHORT)
			printf("\"%zu bytes %08" PRIx32 "\"", strlen(v->str), crc32_of(v->str, strlen(v->str)));
		else
			put_text(v->str);
		break;
	default: put_bin(v->bin); break;
	}
}

/* ---- Properties ---- */

static const char *prop_key(gx_proptag_t tag)
{
	uint16_t id = GX_PROP_ID(tag);
	struct gx_propname n;
	char guid[37];
	if (!GX_PROP_IS_NAMED(tag))
		return gx_arena_printf(arena, "%x", tag);
	must(gx_ec_to_err(gx_store_named_names(txn, &id, 1, arena, &n)), "name", gx_txn_why(txn));
	gx_guid_print(&n.set, guid);
	return n.by_name ? gx_arena_printf(arena, "%s,%s,%x", guid, n.name, GX_PROP_TYPE(tag)) :
		gx_arena_printf(arena, "%s,%u,%x", guid, n.lid, GX_PROP_TYPE(tag));
}

static void put_props(const char *name, const struct gx_proplist *l)
{
	key("%s", name);
	open_with('{');
	for (size_t i = 0; i < l->count; ++i) {
		key("%s", prop_key(l->v[i].tag));
		put_value(GX_PROP_TYPE(l->v[i].tag), &l->v[i].v);
	}
	close_with('}');
}

static void put_msg_props(const struct gx_msgobj *m)
{
	key("props");
	open_with('{');
	for (size_t i = 0; i < m->props.count; ++i) {
		key("%s", prop_key(m->props.v[i].tag));
		put_value(GX_PROP_TYPE(m->props.v[i].tag), &m->props.v[i].v);
	}
	for (size_t i = 0; i < m->named_count; ++i) {
		const struct gx_named_propval *n = &m->named[i];
		char guid[37];
		gx_guid_print(&n->name.set, guid);
		if (n->name.by_name)
			key("%s,%s,%x", guid, n->name.name, n->type);
		else
			key("%s,%u,%x", guid, n->name.lid, n->type);
		put_value(n->type, &n->v);
	}
	close_with('}');
}

static void put_object(const struct gx_msgobj *m)
{
	put_msg_props(m);
	key("rcpts");
	open_with('[');
	for (size_t i = 0; i < m->rcpt_count; ++i) {
		next();
		open_with('{');
		put_props("props", &m->rcpts[i]);
		close_with('}');
	}
	close_with(']');
	key("atts");
	open_with('[');
	for (size_t i = 0; i < m->att_count; ++i) {
		next();
		open_with('{');
		put_props("props", &m->atts[i].props);
		if (m->atts[i].embedded != NULL) {
			key("embedded");
			open_with('{');
			put_object(m->atts[i].embedded);
			close_with('}');
		}
		close_with('}');
	}
	close_with(']');
}

/* ---- Messages ---- */

static void put_keywords(uint32_t kwset)
{
	const char *const *v;
	key("keywords");
	must(gx_ec_to_err(gx_store_keywords(gx_txn_store(txn), kwset, arena, &v)), "keywords", NULL);
	open_with('[');
	for (; *v != NULL; ++v) {
		next();
		put_text(*v);
	}
	close_with(']');
}

static void put_original(const struct gx_msg_row *r)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_msg_mime mime;
	if (!(r->flags & GX_MSGF_HASORIG))
		return;
	must(gx_ec_to_err(gx_msg_original(txn, r->mid, 0, UINT64_MAX, &out)), "original", gx_txn_why(txn));
	key("original");
	printf("\"%zu bytes %08" PRIx32 "\"", out.len, crc32_of(out.data, out.len));
	gx_push_release(&out);
	must(gx_ec_to_err(gx_msg_mime(txn, r->mid, &mime)), "mime", gx_txn_why(txn));
	key("envelope");
	printf("\"%08" PRIx32 " %08" PRIx32 "\"", crc32_of(mime.envelope.data, mime.envelope.len),
		crc32_of(mime.bodystructure.data, mime.bodystructure.len));
}

static void put_message(uint64_t mid)
{
	static const gx_proptag_t keys[] = {PidTagChangeKey, PidTagPredecessorChangeList};
	struct gx_msg_row r;
	struct gx_msgobj *m;
	struct gx_proplist l;
	gx_arena_reset(arena);
	must(gx_msg__row(txn, mid, &r), "message", gx_txn_why(txn));
	must(gx_ec_to_err(gx_msg_read(txn, mid, arena, &m)), "message", gx_txn_why(txn));
	must(gx_ec_to_err(gx_msg_get_props(txn, mid, keys, 2, arena, &l)), "keys", gx_txn_why(txn));
	key("%" PRIx64, mid);
	open_with('{');
	number("fid", r.fid);
	number("uid", r.uid);
	number("flags", r.flags);
	number("cn", r.cn);
	number("rcn", r.rcn);
	number("received", r.received);
	put_keywords(r.kwset);
	gx_proplist_remove(&m->props, PidTagChangeNumber); /* says which version a foreign key is of */
	put_object(m);
	put_props("keys", &l);
	put_original(&r);
	close_with('}');
}

/* ---- Folders ---- */

static void put_rights(uint64_t fid)
{
	GX_STMT(st, txn->q, "SELECT member,rights FROM permissions WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	key("rights");
	open_with('{');
	while (gx_sql__step(st) > 0)
		number(gx_sql__text(st, 0), gx_sql__u64(st, 1));
	close_with('}');
}

static const struct gx_restr *unpack(struct gx_bin b)
{
	const struct gx_px px = GX_PX_EXT(arena);
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	const struct gx_restr *r = gx_px_pull_restr(&c, &px);
	must(c.err != 0 ? c.err : c.left == 0 ? 0 : GX_E_FORMAT, "restriction", NULL);
	return r;
}

static void put_hex_of(const char *name, struct gx_bin b)
{
	key("%s", name);
	putchar('"');
	put_hex(b);
	putchar('"');
}

static void put_rules(uint64_t fid)
{
	GX_STMT(st, txn->q, "SELECT id,name,provider,sequence,state,level,user_flags,provider_data,condition,actions"
		" FROM rules WHERE fid=?1 ORDER BY sequence,id");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	key("rules");
	open_with('[');
	while (gx_sql__step(st) > 0) {
		next();
		open_with('{');
		number("id", gx_sql__u64(st, 0));
		text("name", gx_sql__text(st, 1));
		text("provider", gx_sql__text(st, 2));
		number("sequence", gx_sql__u64(st, 3));
		number("state", gx_sql__u64(st, 4));
		number("level", gx_sql__u64(st, 5));
		number("flags", gx_sql__u64(st, 6));
		put_hex_of("data", gx_sql__blob(st, 7));
		put_hex_of("condition", narrow(unpack(gx_sql__blob(st, 8))));
		put_hex_of("actions", gx_sql__blob(st, 9));
		close_with('}');
	}
	close_with(']');
}

static void put_search(uint64_t fid)
{
	GX_STMT(st, txn->q, "SELECT flags,criteria,state FROM search WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	if (gx_sql__step(st) <= 0)
		return;
	number("search_flags", gx_sql__u64(st, 0));
	put_hex_of("criteria", narrow(unpack(gx_sql__blob(st, 1))));
	key("scope");
	open_with('[');
	GX_STMT(sc, txn->q, "SELECT fid FROM scope WHERE search=?1 ORDER BY fid");
	gx_sql__bind_int(sc, 1, (int64_t)fid);
	while (gx_sql__step(sc) > 0) {
		next();
		printf("%" PRIu64, gx_sql__u64(sc, 0));
	}
	close_with(']');
	number("search_state", gx_sql__u64(st, 2));
	key("found");
	open_with('[');
	GX_STMT(fo, txn->q, "SELECT mid FROM found WHERE fid=?1 ORDER BY mid");
	gx_sql__bind_int(fo, 1, (int64_t)fid);
	while (gx_sql__step(fo) > 0) {
		next();
		printf("%" PRIu64, gx_sql__u64(fo, 0));
	}
	close_with(']');
}

static void put_folder(struct gx_stmt *st)
{
	struct gx_proplist l = {0};
	uint64_t fid = gx_sql__u64(st, 0);
	uint32_t flags = (uint32_t)gx_sql__int(st, 5);
	struct gx_bin b = gx_sql__blob(st, 7);
	gx_arena_reset(arena);
	if (b.len > 0)
		must(gx_prow_unpack(arena, gx_arena_memdup(arena, b.data, b.len), b.len, &l), "folder", NULL);
	must(gx_proplist_set_time(&l, arena, PidTagCreationTime, gx_sql__u64(st, 10)), "folder", NULL);
	must(gx_proplist_set_time(&l, arena, PidTagLastModificationTime, gx_sql__u64(st, 11)), "folder", NULL);
	key("%" PRIx64, fid);
	open_with('{');
	number("parent", gx_sql__u64(st, 1));
	text("name", gx_sql__text(st, 2));
	text("class", gx_sql__text(st, 3));
	number("type", gx_sql__u64(st, 4));
	flag("deleted", flags & GX_FF_DELETED);
	flag("hidden", flags & GX_FF_HIDDEN);
	flag("subscribed", flags & GX_FF_SUBSCRIBED);
	number("cn", gx_sql__u64(st, 6));
	number("uidvalidity", gx_sql__u64(st, 8));
	number("uidnext", gx_sql__u64(st, 9));
	put_props("props", &l);
	put_rights(fid);
	put_rules(fid);
	put_search(fid);
	close_with('}');
}

/* ---- The rest ---- */

static void put_pairs(const char *name, const char *sql)
{
	key("%s", name);
	open_with('[');
	struct gx_stmt *st = gx_sql__stmt(txn->q, sql);
	while (gx_sql__step(st) > 0) {
		next();
		putchar('[');
		put_text(gx_sql__text(st, 0));
		for (int i = 1; !gx_sql__is_null(st, i); ++i)
			printf(",%" PRIu64, gx_sql__u64(st, i));
		putchar(']');
	}
	gx_sql__done(st);
	close_with(']');
}

static void put_oof(void)
{
	struct gx_oof o;
	must(gx_ec_to_err(gx_oof_get(txn, arena, &o)), "oof", gx_txn_why(txn));
	key("oof");
	open_with('{');
	number("state", o.state);
	flag("external", o.external);
	flag("known_only", o.known_only);
	number("from", o.from);
	number("until", o.until);
	text("subject", o.subject);
	text("message", o.message);
	text("external_subject", o.external_subject);
	text("external_message", o.external_message);
	close_with('}');
}

static void put_delegates(const char *name, uint32_t mode)
{
	const char *const *v;
	size_t n;
	must(gx_ec_to_err(gx_delegates_get(txn, mode, arena, &v, &n)), "delegates", gx_txn_why(txn));
	key("%s", name);
	open_with('[');
	for (size_t i = 0; i < n; ++i) {
		next();
		put_text(v[i]);
	}
	close_with(']');
}

static void put_store(struct gx_store *s)
{
	struct gx_proplist l;
	struct gx_fstate *f;
	flag("public", s->is_public);
	key("replica");
	put_guid(&s->replica);
	key("mailbox");
	put_guid(&s->mailbox);
	must(gx_fstate__get(txn, 0, &f), "store", NULL);
	number("next_id", f->uidnext);
	number("last_cn", f->modseq);
	must(gx_ec_to_err(gx_store_get_props(txn, NULL, 0, arena, &l)), "store", gx_txn_why(txn));
	put_props("props", &l);
	put_oof();
	put_delegates("delegates", GX_DELEGATE_ON_BEHALF);
	put_delegates("send_as", GX_DELEGATE_SEND_AS);
	put_pairs("replicas", "SELECT lower(hex(guid)),replid,NULL FROM replicas ORDER BY replid");
	put_pairs("reserved", "SELECT '',first,last,NULL FROM reserved ORDER BY first");
	put_pairs("replied", "SELECT peer,at,NULL FROM replied ORDER BY peer");
	put_pairs("receive", "SELECT class,fid,NULL FROM receive ORDER BY class");
	put_pairs("pread", "SELECT user,mid,isread,rcn,NULL FROM pread ORDER BY user,mid");
	put_pairs("tables", "SELECT name,NULL FROM sqlite_master WHERE type='table' ORDER BY name");
	put_pairs("meta", "SELECT key,NULL FROM meta WHERE key<>'open' ORDER BY key");
}

static void put_all(struct gx_store *s)
{
	put_store(s);
	key("folders");
	open_with('{');
	{
		GX_STMT(st, txn->q, "SELECT f.fid,f.parent,f.name,f.class,f.type,f.flags,f.cn,f.props,s.uidvalidity,"
			"s.uidnext,f.created,f.modified FROM folders f JOIN fstate s ON s.fid=f.fid ORDER BY f.fid");
		while (gx_sql__step(st) > 0)
			put_folder(st);
	}
	close_with('}');
	key("messages");
	open_with('{');
	GX_STMT(st, txn->q, "SELECT mid FROM msg ORDER BY mid");
	while (gx_sql__step(st) > 0)
		put_message(gx_sql__u64(st, 0));
	close_with('}');
}

static void on_finding(const char *line, void *ctx)
{
	(void)ctx;
	next();
	put_text(line);
}

int main(int argc, char **argv)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_store *s;
	const char *why = "";
	arena = gx_arena_new(0);
	if (argc != 2 || arena == NULL) {
		fprintf(stderr, "usage: convdump DIR\n");
		return 2;
	}
	must(gx_store_open(argv[1], &o, &s, arena, &why), argv[1], why);
	open_with('{');
	key("verify");
	open_with('[');
	long found = gx_store_verify(s, on_finding, NULL);
	must(found < 0 ? (int)found : 0, "verify", NULL);
	close_with(']');
	must(gx_txn__system(s, GX_TXN_READ, 1000, &txn), "begin", NULL);
	put_all(s);
	close_with('}');
	putchar('\n');
	gx_txn_abort(txn);
	gx_store_close(s);
	gx_arena_free(arena);
	return 0;
}
