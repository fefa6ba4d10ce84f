/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include <gx/search.h>
#include "libgxstore/faults/faultvfs.h"
#include "libgxstore/search/fts-int.h"
#include "libgxstore/fixtest.h"
#include "libgxstore/message/msgsrc.h"

/* The full-text index: never a message missed, whatever happened to the store or to the index. */

static uint64_t put(struct gx_txn *t, uint64_t fid, const char *subject, const char *body)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct gx_msgobj *m = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, subject), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagBody, body), 0);
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, fid, p, NULL, &ids));
	return ids.mid;
}

static struct gx_candidates ask(struct gx_txn *t, uint64_t fid, const char *text)
{
	struct gx_candidates c;
	ST_OK(gx_search_texts(t, fid, &text, 1, a, &c));
	return c;
}

static void index_all(void)
{
	bool done = false;
	while (!done)
		ck_assert_int_eq(gx_store_index(s, 1000, &done), 0);
}

START_TEST(words_are_found)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t one = put(t, GX_FID_INBOX, "Gr\xc3\xbc\xc3\x9f" "e", "the quick brown fox");
	uint64_t two = put(t, GX_FID_SENT, "hello", "lazy dogs sleep\r\n  for long");
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	struct gx_candidates c = ask(t, 0, "BROWN f");
	ck_assert(!c.all && c.n == 1 && c.mids[0] == one);
	c = ask(t, 0, "gru");
	ck_assert(c.n == 1 && c.mids[0] == one);
	c = ask(t, 0, "sleep for");
	ck_assert(c.n == 1 && c.mids[0] == two);
	ck_assert_uint_eq(ask(t, GX_FID_INBOX, "lazy").n, 0);
	ck_assert_uint_eq(ask(t, 0, "nowhere").n, 0);
	ck_assert(ask(t, 0, "ab").all);
	ck_assert(ask(t, 0, "").all);
	ck_assert_uint_eq(ask(t, 0, "a \"quoted\" text").n, 0);
	const char *both[] = {"quick", "dogs"};
	ST_OK(gx_search_texts(t, 0, both, 2, a, &c));
	ck_assert_uint_eq(c.n, 0);
	ck_assert(!gx_candidates_have(&c, one));
	gx_txn_abort(t);
}
END_TEST

/* A transaction that writes sees what it wrote, though the index cannot. */
START_TEST(uncommitted_counts)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mid = put(t, GX_FID_INBOX, "x", "uncommitted words");
	struct gx_candidates c = ask(t, 0, "uncommitted");
	ck_assert(gx_candidates_have(&c, mid));
	st_commit(t);
}
END_TEST

START_TEST(copies_moves_changes_deletions)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids ids;
	struct gx_proplist l = {0};
	uint64_t mid = put(t, GX_FID_INBOX, "subject", "original words here");
	st_commit(t);
	index_all();
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &mid, 1, GX_FID_SENT, false, &ids));
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagBody, "changed contents now"), 0);
	ST_OK(gx_msg_set_props(t, ids.mid, &l)); /* the copy */
	st_commit(t);
	index_all();
	t = st_begin(s, GX_TXN_READ);
	struct gx_candidates c = ask(t, 0, "changed cont");
	ck_assert(c.n == 1 && c.mids[0] == ids.mid);
	c = ask(t, 0, "original words");
	ck_assert(gx_candidates_have(&c, mid));
	gx_txn_abort(t);
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagBody, "third version"), 0);
	ST_OK(gx_msg_set_props(t, mid, &l)); /* in place */
	ST_OK(gx_msg_delete(t, GX_FID_SENT, &ids.mid, 1, true));
	st_commit(t);
	index_all();
	t = st_begin(s, GX_TXN_READ);
	c = ask(t, 0, "third ver");
	ck_assert(c.n == 1 && c.mids[0] == mid);
	ck_assert_uint_eq(ask(t, 0, "changed contents").n, 0);
	gx_txn_abort(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &mid, 1, GX_FID_DRAFTS, true, &ids));
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	c = ask(t, GX_FID_DRAFTS, "third ver");
	ck_assert(c.n == 1 && c.mids[0] == ids.mid);
	gx_txn_abort(t);
}
END_TEST

START_TEST(html_rcpts_attachments_embedded)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct gx_msgobj *m = gx_msgobj_new(a), *in = gx_msgobj_new(a);
	static const char html[] = "<p>visi<b>ble</b></p><style>hidden</style>";
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagHtml, html, strlen(html)), 0);
	struct gx_proplist *r = gx_msgobj_add_rcpt(m, a);
	ck_assert_int_eq(gx_proplist_set_str(r, a, PidTagSmtpAddress, "carol@example.net"), 0);
	struct gx_attach *at = gx_msgobj_add_attach(m, a);
	ck_assert_int_eq(gx_proplist_set_str(&at->props, a, PidTagAttachLongFilename, "Angebot 2026.pdf"), 0);
	at = gx_msgobj_add_attach(m, a);
	ck_assert_int_eq(gx_proplist_set_str(&at->props, a, PidTagAttachMimeTag, "text/plain"), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&at->props, a, PidTagAttachDataBinary, "words in a file", 15), 0);
	at = gx_msgobj_add_attach(m, a);
	ck_assert_int_eq(gx_proplist_set_str(&in->props, a, PidTagSubject, "inner subject"), 0);
	at->embedded = in;
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	static const char *const yes[] = {"visible", "carol@ex", "angebot 2026", "in a file", "inner sub"};
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		struct gx_candidates c = ask(t, 0, yes[i]);
		ck_assert_msg(c.n == 1 && c.mids[0] == ids.mid, "%s: %zu", yes[i], c.n);
	}
	ck_assert_uint_eq(ask(t, 0, "hidden").n, 0);
	gx_txn_abort(t);
}
END_TEST

/* The file is lost, damaged, another store's: it is made anew. */
START_TEST(index_lost)
{
	char *file = gx_arena_printf(a, "%s/exmdb/" GX_FTS_NAME, dir);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mid = put(t, GX_FID_INBOX, "x", "steady words");
	st_commit(t);
	for (int i = 0; i < 3; i++) {
		index_all();
		gx_store_close(s);
		if (i == 0)
			ck_assert_int_eq(unlink(file), 0);
		FILE *f = fopen(file, i == 0 ? "w" : "r+");
		ck_assert_ptr_nonnull(f);
		for (int k = 0; i == 1 && k < 6000; k++)
			fputc('x', f);
		fclose(f);
		s = st_open(dir);
		t = st_begin(s, GX_TXN_READ);
		struct gx_candidates c = ask(t, 0, "steady w");
		ck_assert(gx_candidates_have(&c, mid));
		gx_txn_abort(t);
	}
}
END_TEST

START_TEST(without_index_everything_is_a_candidate)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	bool done = false;
	o.no_index = true;
	gx_store_close(s);
	s = st_open_with(dir, &o);
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ck_assert(ask(t, 0, "anything").all);
	gx_txn_abort(t);
	ck_assert_int_eq(gx_store_index(s, 1000, &done), 0);
	ck_assert(done);
	char *file = gx_arena_printf(a, "%s/exmdb/" GX_FTS_NAME, dir);
	ck_assert_int_ne(access(file, F_OK), 0);
}
END_TEST

static void count_line(int level, const char *text, void *ctx)
{
	(void)level;
	(void)text;
	++*(unsigned *)ctx;
}

/* Somebody else is about to make the first one: nothing to be told, and nothing is missed. */
START_TEST(there_is_no_index_yet)
{
	unsigned lines = 0;
	struct gx_log log = {count_line, &lines, GX_LOG_DEBUG};
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	o.log = &log;
	gx_store_close(s);
	s = st_open_with(dir, &o);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	put(t, GX_FID_INBOX, "x", "early words");
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	pthread_mutex_lock(&s->fts.lock);
	ck_assert(ask(t, 0, "early words").all);
	pthread_mutex_unlock(&s->fts.lock);
	ck_assert_int_eq(gx_fts__verify(t, NULL, NULL), 0);
	ck_assert_uint_eq(ask(t, 0, "early words").n, 1);
	gx_txn_abort(t);
	ck_assert_uint_eq(lines, 0);
}
END_TEST

static const struct gx_restr *content(gx_proptag_t tag, const char *text)
{
	struct gx_restr *r = gx_arena_new_obj(a, struct gx_restr);
	r->type = RES_CONTENT;
	r->u.content.level = FL_SUBSTRING;
	r->u.content.flags = FL_IGNORECASE;
	r->u.content.tag = tag;
	r->u.content.val = (struct gx_propval){.tag = tag, .v = {.str = text}};
	return r;
}

static const struct gx_restr *join(uint8_t type, const struct gx_restr *x, const struct gx_restr *y)
{
	struct gx_restr *r = gx_arena_new_obj(a, struct gx_restr), *v = gx_arena_new_array(a, struct gx_restr, 2);
	v[0] = *x;
	v[1] = *y;
	r->type = type;
	r->u.list.v = v;
	r->u.list.count = 2;
	return r;
}

START_TEST(restrictions)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t one = put(t, GX_FID_INBOX, "apples", "red fruit"), two = put(t, GX_FID_INBOX, "pears", "green fruit");
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	struct gx_candidates c;
	const struct gx_restr *red = content(PidTagBody, "red"), *fruit = content(PidTagBody, "fruit"), *pears = content(PidTagSubject, "PEARS");
	struct gx_restr exist = {.type = RES_EXIST, .u = {.exist = {PidTagSubject}}};
	struct gx_restr not_red = {.type = RES_NOT, .u = {.not_ = {red}}};
	ST_OK(gx_search_restr(t, 0, red, a, &c));
	ck_assert(c.n == 1 && c.mids[0] == one);
	ST_OK(gx_search_restr(t, 0, join(RES_AND, fruit, pears), a, &c));
	ck_assert(c.n == 1 && c.mids[0] == two);
	ST_OK(gx_search_restr(t, 0, join(RES_AND, &exist, pears), a, &c));
	ck_assert(c.n == 1 && c.mids[0] == two);
	ST_OK(gx_search_restr(t, 0, join(RES_OR, red, pears), a, &c));
	ck_assert(!c.all && c.n == 2);
	ST_OK(gx_search_restr(t, 0, join(RES_OR, red, &exist), a, &c));
	ck_assert(c.all);
	ST_OK(gx_search_restr(t, 0, &not_red, a, &c));
	ck_assert(c.all);
	ST_OK(gx_search_restr(t, 0, NULL, a, &c));
	ck_assert(c.all);
	ST_OK(gx_search_restr(t, 0, content(PidTagMessageClass, "fruit"), a, &c)); /* not in the index */
	ck_assert(c.all);
	gx_txn_abort(t);
}
END_TEST

/* Random texts, changes, reopenings: what a plain look at each message finds is among the candidates. */
START_TEST(nothing_is_missed)
{
	enum { N = 60, STEPS = 400 };
	static const char *const word[] = {"alpha", "Beta", "g\xc3\xa4mma", "delta\r\nepsilon", "zeta", "eta theta", "iota", "KAPPA", "la", "mu"};
	enum { WORDS = sizeof(word) / sizeof(word[0]) };
	uint64_t mids[N] = {0};
	char text[N][200];
	uint32_t seed = 12345;
	for (int step = 0; step < STEPS; step++) {
		seed = seed * 1664525 + 1013904223;
		unsigned i = seed >> 8 & 0xffff, k = i % N, w = i / N % WORDS, w2 = (i / 7 + step) % WORDS;
		struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
		if (mids[k] == 0) {
			snprintf(text[k], sizeof(text[k]), "%s %s", word[w], word[w2]);
			mids[k] = put(t, GX_FID_INBOX, "", text[k]);
		} else if (seed >> 24 & 1) {
			struct gx_proplist l = {0};
			snprintf(text[k], sizeof(text[k]), "%s and %s", word[w2], word[w]);
			ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagBody, text[k]), 0);
			ST_OK(gx_msg_set_props(t, mids[k], &l));
		} else {
			ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mids[k], 1, true));
			mids[k] = 0;
		}
		st_commit(t);
		if (step % 97 == 0) {
			gx_store_close(s);
			s = st_open(dir);
		}
		t = st_begin(s, GX_TXN_READ);
		struct gx_candidates c = ask(t, 0, word[w]);
		size_t found = 0;
		for (unsigned m = 0; m < N; m++)
			if (mids[m] != 0 && gx_utf8_casestr(text[m], strlen(text[m]), word[w], strlen(word[w]))) {
				found++;
				ck_assert_msg(gx_candidates_have(&c, mids[m]), "step %d: \"%s\" not found in \"%s\"", step, word[w], text[m]);
			}
		ck_assert(c.all || c.n < found + 12);
		gx_txn_abort(t);
	}
}
END_TEST

/* ---- After a power loss ---- */

static struct gx_store *open_on(struct fault *f, const char *at)
{
	struct gx_store *x = NULL;
	ck_assert_int_eq(gx_store__open_on(&f->fs, at, NULL, &x, a, NULL), 0);
	return x;
}

static void set_body(struct gx_txn *t, uint64_t mid, const char *text)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagBody, text), 0);
	ST_OK(gx_msg_set_props(t, mid, &l));
}

/* Nothing but what is safe on @f is left; there the message has to be found by @text. */
static void found_after_loss(struct fault *f, uint64_t mid, const char *text)
{
	char *out = gx_arena_strdup(a, st_dir());
	fdisk_lose(f->disk, FDISK_NOTHING, 1, out);
	struct fault *other = fault_new(out, false);
	struct gx_store *living = s;
	s = open_on(other, out);
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	struct gx_candidates c = ask(t, 0, text);
	ck_assert(gx_candidates_have(&c, mid));
	ck_assert(!c.all);
	gx_txn_abort(t);
	st_verify(s);
	gx_store_close(s);
	fault_free(other);
	st_rmtree(out);
	s = living;
}

static struct fault *on_a_disk(void)
{
	gx_store_close(s);
	struct fault *f = fault_new(dir, true);
	s = open_on(f, dir);
	return f;
}

static void off_the_disk(struct fault *f)
{
	gx_store_close(s);
	fault_free(f);
	s = st_open(dir);
}

/* The index was made of a change that the store lost; what it has again was never indexed. */
START_TEST(the_store_went_back)
{
	struct fault *f = on_a_disk();
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mid = put(t, GX_FID_INBOX, "x", "original words");
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_NOW), 0);
	t = st_begin(s, GX_TXN_WRITE);
	set_body(t, mid, "changed contents");
	st_commit(t);
	index_all();
	found_after_loss(f, mid, "original words");
	off_the_disk(f);
}
END_TEST

/* The index lost a change that the store has, and the store has forgotten that it changed. */
START_TEST(the_index_went_back)
{
	struct fault *f = on_a_disk();
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mid = put(t, GX_FID_INBOX, "x", "original words"), other = put(t, GX_FID_INBOX, "y", "other");
	st_commit(t);
	index_all();
	t = st_begin(s, GX_TXN_WRITE);
	set_body(t, mid, "changed contents");
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_NOW), 0);
	fault_arm(f, 2, FAULT_EIO, FAULT_SYNC, true); /* the first one is that of the head of its log */
	index_all();
	ck_assert(fault_disarm(f));
	t = st_begin(s, GX_TXN_WRITE);
	for (int i = 0; i < 256; i++)
		set_body(t, other, "another");
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_NOW), 0);
	found_after_loss(f, mid, "changed contents");
	off_the_disk(f);
}
END_TEST

/* ---- Bodies that nobody but a converter can read ---- */

/* "R:words" says these words; as HTML the last one is in bold. */
static int convert(int from, int to, struct gx_bin in, uint32_t cp, struct gx_arena *arena, struct gx_bin *ret_out, void *ctx)
{
	(void)cp;
	(void)ctx;
	if (from != GX_BODY_RTF || in.len < 2 || memcmp(in.data, "R:", 2) != 0)
		return GX_E_UNSUP;
	const char *said = gx_arena_printf(arena, to == GX_BODY_HTML ? "<p>%.*s</p><b>mark</b>up" : "%.*s", (int)in.len - 2, (const char *)in.data + 2);
	*ret_out = (struct gx_bin){(const uint8_t *)said, strlen(said)};
	return 0;
}

static uint64_t put_bytes(struct gx_txn *t, gx_proptag_t tag, const char *bytes)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct gx_msgobj *m = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, tag, bytes, strlen(bytes)), 0);
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
	return ids.mid;
}

static bool matches(struct gx_txn *t, uint64_t mid, gx_proptag_t tag, const char *text)
{
	struct gx_msgsrc x;
	bool yes = false;
	gx_msgsrc__init(&x, t, t->a);
	ck_assert_int_eq(gx_msgsrc__set_mid(&x, mid), 0);
	ck_assert_int_eq(gx_restr_eval(content(tag, text), &x.src, &yes), 0);
	gx_msgsrc__release(&x);
	return yes;
}

static void reopen_with(gx_store_convert_cb cb)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	o.convert = cb;
	gx_store_close(s);
	s = st_open_with(dir, &o);
}

START_TEST(bodies_in_other_formats)
{
	reopen_with(convert);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t rtf = put_bytes(t, PidTagRtfCompressed, "R:rich words"), odd = put_bytes(t, PidTagRtfCompressed, "?unreadable");
	uint64_t html = put_bytes(t, PidTagHtml, "<p>see <a href=\"http://target.example/\">there</a></p>");
	st_commit(t);
	index_all();
	t = st_begin(s, GX_TXN_READ);
	struct gx_candidates c = ask(t, 0, "rich word");
	ck_assert(!c.all && c.n == 1 && c.mids[0] == rtf);
	c = ask(t, 0, "markup"); /* which only its HTML says */
	ck_assert(c.n == 1 && c.mids[0] == rtf);
	c = ask(t, 0, "target.exa"); /* what plain text made of HTML says */
	ck_assert(c.n == 1 && c.mids[0] == html);
	ck_assert(!gx_candidates_have(&c, odd));
	ck_assert(matches(t, rtf, PidTagBody, "RICH") && !matches(t, odd, PidTagBody, "unread"));
	gx_txn_abort(t);
}
END_TEST

static int first_from;

static int note_from(int from, int to, struct gx_bin in, uint32_t cp, struct gx_arena *arena, struct gx_bin *ret_out, void *ctx)
{
	(void)to;
	(void)in;
	(void)cp;
	(void)arena;
	(void)ret_out;
	(void)ctx;
	first_from = first_from == 0 ? from : first_from;
	return GX_E_UNSUP;
}

/* Of two messages that one source reads, each has its own native body. */
START_TEST(native_body_of_each)
{
	struct gx_arena *scratch = gx_arena_new(0);
	struct gx_proplist l = {0};
	struct gx_propval pv;
	struct gx_msgsrc x;
	reopen_with(note_from);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t rtf = put_bytes(t, PidTagRtfCompressed, "R:rich"), html = put_bytes(t, PidTagRtfCompressed, "R:both");
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagHtml, "<p>both", 7), 0);
	ST_OK(gx_msg_set_props(t, html, &l));
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	gx_msgsrc__init(&x, t, scratch);
	ck_assert_int_eq(gx_msgsrc__set_mid(&x, rtf), 0);
	ck_assert_int_eq(gx_msgsrc__shown(&x, PidTagDisplayTo, &pv), 1);
	first_from = 0;
	ck_assert_int_eq(gx_msgsrc__shown(&x, PidTagBody, &pv), 0);
	ck_assert_int_eq(first_from, GX_BODY_RTF);
	gx_arena_reset(scratch);
	ck_assert_int_eq(gx_msgsrc__set_mid(&x, html), 0);
	first_from = 0;
	ck_assert_int_eq(gx_msgsrc__shown(&x, PidTagSenderName, &pv), 0);
	ck_assert_int_eq(gx_msgsrc__shown(&x, PidTagBody, &pv), 0);
	ck_assert_int_eq(first_from, GX_BODY_HTML);
	gx_msgsrc__release(&x);
	gx_txn_abort(t);
	gx_arena_free(scratch);
}
END_TEST

/* What could not be read when it was indexed may be readable when it is searched for. */
START_TEST(indexed_without_a_converter)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t rtf = put_bytes(t, PidTagRtfCompressed, "R:rich words"), other = put(t, GX_FID_INBOX, "x", "other");
	st_commit(t);
	index_all();
	t = st_begin(s, GX_TXN_READ);
	struct gx_candidates c = ask(t, 0, "rich words");
	ck_assert(gx_candidates_have(&c, rtf) && !gx_candidates_have(&c, other));
	ck_assert(!matches(t, rtf, PidTagBody, "rich"));
	gx_txn_abort(t);
	reopen_with(convert);
	t = st_begin(s, GX_TXN_READ);
	c = ask(t, 0, "rich words");
	ck_assert(gx_candidates_have(&c, rtf));
	ck_assert(matches(t, rtf, PidTagBody, "rich"));
	gx_txn_abort(t);
}
END_TEST

static int search_meanwhile(uint64_t body, const char *text, void *ctx)
{
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	(void)text;
	ck_assert_uint_ne(body, 0);
	ask(t, 0, "words");
	gx_txn_abort(t);
	++*(unsigned *)ctx;
	return 0;
}

/* Nobody who searches waits until the checker has read all of the index. */
START_TEST(checked_while_in_use)
{
	unsigned found = 0;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 3; i++)
		put(t, GX_FID_INBOX, "some words", "and more of them");
	st_commit(t);
	index_all();
	t = st_begin(s, GX_TXN_READ);
	ck_assert_int_eq(gx_fts__verify(t, search_meanwhile, &found), 0);
	ck_assert_uint_eq(found, 0);
	ck_assert_int_eq(gx_sql__exec(s->fts.q, "INSERT INTO words(words) VALUES('delete-all')"), 0);
	ck_assert_int_eq(gx_fts__verify(t, search_meanwhile, &found), 0);
	ck_assert_uint_eq(found, 3);
	gx_txn_abort(t);
	gx_fts__discard(s);
	index_all();
}
END_TEST

/* While somebody indexes: what the index knew before, and all that came since. */
START_TEST(asked_while_somebody_indexes)
{
	enum { NEW = 300 };
	uint64_t mids[NEW];
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t old = put(t, GX_FID_INBOX, "apples", "red fruit");
	struct gx_msg_ids copy;
	put(t, GX_FID_INBOX, "pears", "green fruit");
	st_commit(t);
	index_all();
	t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < NEW; i++)
		mids[i] = put(t, i % 3 == 0 ? GX_FID_SENT : GX_FID_INBOX, "came", "later");
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &mids[1], 1, GX_FID_SENT, false, &copy));
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &old, 1, GX_FID_SENT, false, NULL)); /* its body is known */
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mids[2], 1, true));
	st_commit(t);
	pthread_mutex_lock(&s->fts.lock);
	t = st_begin(s, GX_TXN_READ);
	struct gx_candidates c = ask(t, GX_FID_INBOX, "red fr");
	ck_assert(!c.all && gx_candidates_have(&c, old));
	ck_assert_uint_eq(c.n, 1 + 2 * NEW / 3 - 1);
	c = ask(t, GX_FID_SENT, "green");
	ck_assert(!c.all && gx_candidates_have(&c, copy.mid));
	ck_assert_uint_eq(c.n, NEW / 3 + 1);
	gx_txn_abort(t);
	pthread_mutex_unlock(&s->fts.lock);
	index_all();
	t = st_begin(s, GX_TXN_READ);
	ck_assert_uint_eq(ask(t, 0, "red fr").n, 2);
	ck_assert_uint_eq(ask(t, 0, "later").n, NEW);
	gx_txn_abort(t);
}
END_TEST

/* Says which format it was made of. */
static int name_source(int from, int to, struct gx_bin in, uint32_t cp, struct gx_arena *arena, struct gx_bin *ret_out, void *ctx)
{
	(void)in;
	(void)cp;
	(void)arena;
	(void)ctx;
	const char *said = from == GX_BODY_RTF ? "of rich text" : "of html";
	if (to != GX_BODY_PLAIN)
		return GX_E_UNSUP;
	*ret_out = (struct gx_bin){(const uint8_t *)said, strlen(said)};
	return 0;
}

/* A message of two formats goes by its own native one, whoever was looked at before. */
START_TEST(the_native_format_is_the_source)
{
	struct gx_msgsrc x;
	struct gx_propval pv;
	reopen_with(name_source);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msgobj *m = gx_msgobj_new(a);
	struct gx_msg_write_opts o = GX_MSG_WRITE_OPTS_INIT;
	struct gx_msg_ids ids;
	uint64_t html = put_bytes(t, PidTagHtml, "<p>x</p>");
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagHtml, "<p>x</p>", 8), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagRtfCompressed, "R:rich", 6), 0);
	ck_assert_int_eq(gx_proplist_set_bool(&m->props, a, PidTagRtfInSync, true), 0);
	ST_OK(gx_msg_write(t, GX_FID_INBOX, m, &o, &ids));
	gx_msgsrc__init(&x, t, t->a);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(gx_msgsrc__set_mid(&x, i % 2 == 0 ? html : ids.mid), 0);
		ck_assert_int_eq(gx_msgsrc__shown(&x, PidTagBody, &pv), 1);
		ck_assert_str_eq(pv.v.str, i % 2 == 0 ? "of html" : "of rich text");
	}
	gx_msgsrc__release(&x);
	st_commit(t);
}
END_TEST

/* A step that fails leaves nothing in the index, and the store does not believe that it did. */
START_TEST(a_failed_step_is_not_counted)
{
	struct fault *f = on_a_disk();
	unsigned failed = 0;
	for (bool hit = true; hit; failed += hit) {
		bool done;
		struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
		put(t, GX_FID_INBOX, "x", "original words");
		st_commit(t);
		fault_arm(f, failed + 1, FAULT_EIO, FAULT_ANY, true);
		int err = gx_store_index(s, 10000, &done);
		hit = fault_disarm(f);
		ck_assert(err == 0 || (hit && err == GX_E_IO)); /* its log may stay for now */
		st_verify(s);
	}
	ck_assert_uint_gt(failed, 10);
	off_the_disk(f);
}
END_TEST

static nlink_t names_of(const char *path)
{
	struct stat sb;
	ck_assert_int_eq(stat(path, &sb), 0);
	return sb.st_nlink;
}

/* What could not be read this time is no reason to make it anew. */
START_TEST(an_index_that_does_not_open_is_kept)
{
	struct fault *f = on_a_disk();
	const char *path = gx_arena_printf(a, "%s/exmdb/fts.sqlite3", dir);
	unsigned failed = 0;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	put(t, GX_FID_INBOX, "x", "original words");
	st_commit(t);
	index_all();
	ck_assert_int_eq(link(path, gx_arena_printf(a, "%s/same", dir)), 0); /* a new file would have one name */
	for (bool hit = true; hit; failed += hit) {
		bool done;
		gx_store_close(s);
		s = open_on(f, dir);
		fault_arm(f, failed + 1, FAULT_EIO, FAULT_ANY, false);
		int err = gx_store_index(s, 10000, &done);
		hit = fault_disarm(f);
		ck_assert(err == 0 || (hit && err == GX_E_IO));
		ck_assert_uint_eq(names_of(path), 2);
	}
	ck_assert_uint_gt(failed, 2);
	off_the_disk(f);
}
END_TEST

/* It may be damaged, and it is of another moment: it goes at once, and nobody complains of it. */
START_TEST(after_a_loss_the_index_goes)
{
	struct fault *f = on_a_disk();
	char *out = gx_arena_strdup(a, st_dir());
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	put(t, GX_FID_INBOX, "x", "original words");
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_NOW), 0);
	index_all();
	fdisk_lose(f->disk, FDISK_ALL, 1, out);
	off_the_disk(f);
	const char *path = gx_arena_printf(a, "%s/exmdb/fts.sqlite3", out);
	FILE *file = fopen(path, "r+");
	ck_assert_ptr_nonnull(file);
	fputs("this was a database", file);
	fclose(file);
	f = fault_new(out, false);
	struct gx_store *x = open_on(f, out);
	ck_assert_int_ne(access(path, F_OK), 0);
	st_verify(x);
	gx_store_close(x);
	fault_free(f);
	st_rmtree(out);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("fts");
	TCase *c = tcase_create("fts");
	tcase_add_checked_fixture(c, fix_setup, fix_teardown);
	tcase_add_test(c, words_are_found);
	tcase_add_test(c, uncommitted_counts);
	tcase_add_test(c, copies_moves_changes_deletions);
	tcase_add_test(c, html_rcpts_attachments_embedded);
	tcase_add_test(c, index_lost);
	tcase_add_test(c, without_index_everything_is_a_candidate);
	tcase_add_test(c, there_is_no_index_yet);
	tcase_add_test(c, restrictions);
	tcase_add_test(c, bodies_in_other_formats);
	tcase_add_test(c, native_body_of_each);
	tcase_add_test(c, indexed_without_a_converter);
	tcase_add_test(c, the_native_format_is_the_source);
	tcase_add_test(c, nothing_is_missed);
	tcase_add_test(c, the_store_went_back);
	tcase_add_test(c, the_index_went_back);
	tcase_add_test(c, checked_while_in_use);
	tcase_add_test(c, asked_while_somebody_indexes);
	tcase_add_test(c, a_failed_step_is_not_counted);
	tcase_add_test(c, an_index_that_does_not_open_is_kept);
	tcase_add_test(c, after_a_loss_the_index_goes);
	suite_add_tcase(x, c);
	return x;
}

GXTEST_MAIN(suite)
