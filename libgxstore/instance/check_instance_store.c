/* SPDX-License-Identifier: Apache-2.0 */
/* What saving does to what is stored: originals and UIDs, contents, streams, whole objects, bodies. */
#include <config.h>
#include <gx/codec.h>
#include <gx/namedprop.h>
#include "libgxstore/instance/insttest.h"

/* ---- Originals ---- */

/* An internet message with a text and a large attachment in base64, as delivery brings it. */
static bool ragged; /* its lines have no one length: it is kept as it is, and decoded when it is read */
static uint64_t deliver(struct gx_txn *t, const uint8_t *att, size_t len)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(it_a);
	struct gx_push out = GX_PUSH_INIT;
	struct gx_msg_ids ids;
	char *b64 = gx_arena_alloc(it_a, gx_base64_enc_len(57) + 1);
	const char text[] = "a text that is sent 7bit\r\n";
	gx_push_str(&out, "Subject: message\r\n\r\n");
	m->slices[0] = (struct gx_slice_prop){PidTagBody, {.off = out.len, .len = sizeof(text) - 1, .cp = 65001, .cte = GX_CTE_7BIT}};
	gx_push_str(&out, text);
	size_t from = out.len;
	for (size_t k = 0; k < len; k += 57) {
		size_t n = gx_base64_enc(att + k, len - k < 57 ? len - k : 57, b64);
		gx_push_bytes(&out, b64, n);
		gx_push_str(&out, ragged && k % 7 == 0 ? " \r\n\r\n" : "\r\n");
	}
	struct gx_attach *x = gx_msgobj_add_attach(m, it_a);
	x->data = (struct gx_slice_prop){PidTagAttachDataBinary, {.off = from, .len = out.len - from, .cte = GX_CTE_BASE64}};
	ck_assert_int_eq(gx_proplist_set_str(&x->props, it_a, PidTagAttachLongFilename, "big.bin"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, it_a, PidTagSubject, "message"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, it_a, PidTagMessageClass, "IPM.Note"), 0);
	src.obj = m;
	src.original = (struct gx_bin){gx_arena_memdup(it_a, out.data, out.len), out.len};
	src.envelope = src.bodystructure = (struct gx_bin){(const uint8_t *)"()", 2};
	gx_push_release(&out);
	ck_assert_int_eq(gx_msg_prepare(it_a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
	gx_msg_prepared_release(p);
	return ids.mid;
}

struct seen {
	uint32_t expunged, changed, exists, last;
};

static void on_expunged(uint32_t seq, uint32_t uid, void *ctx)
{
	struct seen *x = ctx;
	(void)seq;
	x->expunged++;
	x->last = uid;
}

static void on_changed(uint32_t seq, const struct gx_uid_entry *e, void *ctx)
{
	(void)seq;
	(void)e;
	((struct seen *)ctx)->changed++;
}

static void on_exists(uint32_t count, uint32_t recent, void *ctx)
{
	(void)count;
	(void)recent;
	((struct seen *)ctx)->exists++;
}

static struct seen refresh(struct gx_imapview *v)
{
	struct seen x = {0};
	const struct gx_imapview_sink sink = {on_expunged, on_changed, on_exists, &x};
	ST_OK(gx_imapview_refresh(v, true, &sink));
	return x;
}

static void change_one(uint64_t mid, gx_proptag_t tag, union gx_value v)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_open(t, mid);
	it_set(i, tag, v);
	it_save(t, i);
	gx_inst_free(i);
	st_commit(t);
}

/* The flag of IMAP is no value that is stored, and goes like one. */
START_TEST(a_flag_of_imap_is_removed)
{
	static const gx_proptag_t tag = PidTagFlagStatus;
	struct gx_save_result r;
	uint8_t *att = it_noise(100, 7);
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	uint64_t mid = deliver(t, att, 100);
	const struct gx_flag_change flagged = {.op = GX_FLAGS_ADD, .flags = GX_MSGF_FLAGGED, .unchanged_since = UINT64_MAX};
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &mid, 1, &flagged, it_a, NULL, NULL));
	ck_assert(it_info(t, mid).flags & GX_MSGF_FLAGGED);
	struct gx_inst *i = it_open(t, mid);
	ST_OK(gx_inst_remove_props(i, &tag, 1, 0, it_a, NULL));
	ST_OK(gx_inst_save(t, i, 0, &r));
	ck_assert(!(it_info(t, mid).flags & GX_MSGF_FLAGGED));
	gx_inst_free(i);
	st_commit(t);
}
END_TEST

START_TEST(what_imap_does_not_show_leaves_the_original)
{
	static const gx_proptag_t quiet[] = {PidTagIconIndex, PidTagFollowupIcon, PidTagMessageStatus, PidTagProcessed & 0xffff0003};
	uint8_t *att = it_noise(300000, 7);
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	uint64_t mid = deliver(t, att, 300000);
	struct gx_propname kw = GX_STR(PidNameKeywords), header = {PS_INTERNET_HEADERS, true, 0, "x-mine"};
	uint16_t ids[2];
	ST_OK(gx_store_named_ids(t, true, &kw, 1, &ids[0]));
	ST_OK(gx_store_named_ids(t, true, &header, 1, &ids[1]));
	st_commit(t);
	struct gx_imapview *v = st_view(it_s, GX_FID_INBOX);
	struct gx_push before = GX_PUSH_INIT, after = GX_PUSH_INIT;
	t = st_begin(it_s, GX_TXN_READ);
	ST_OK(gx_msg_original(t, mid, 0, UINT64_MAX, &before));
	int64_t rows = it_count(t, "SELECT COUNT(*) FROM content"), data = it_count(t, "SELECT MAX(rowid) FROM content_data");
	gx_txn_abort(t);
	for (size_t k = 0; k < sizeof(quiet) / sizeof(quiet[0]); k++)
		change_one(mid, quiet[k], (union gx_value){.i32 = 1});
	change_one(mid, GX_PROP_TAG(ids[0], PtypMultipleString), (union gx_value){.mv = {&(union gx_value){.str = "red"}, 1}});
	change_one(mid, PidTagFlagStatus, (union gx_value){.i32 = 2});
	struct seen x = refresh(v);
	ck_assert(x.expunged == 0 && x.exists == 0 && x.changed > 0);
	t = st_begin(it_s, GX_TXN_READ);
	struct gx_msg_info m = it_info(t, mid);
	ck_assert(m.uid == 1 && (m.flags & GX_MSGF_HASORIG) && (m.flags & GX_MSGF_FLAGGED));
	ST_OK(gx_msg_original(t, mid, 0, UINT64_MAX, &after));
	ck_assert_uint_eq(after.len, before.len);
	ck_assert_mem_eq(after.data, before.data, before.len);
	ck_assert_int_eq(it_count(t, "SELECT COUNT(*) FROM content"), rows);
	ck_assert_int_eq(it_count(t, "SELECT MAX(rowid) FROM content_data"), data);
	gx_txn_abort(t);
	/* A header field of its own is shown. */
	change_one(mid, GX_PROP_TAG(ids[1], PtypString), (union gx_value){.str = "value"});
	x = refresh(v);
	ck_assert(x.expunged == 1 && x.last == 1 && x.exists == 1);
	gx_imapview_close(v);
	gx_push_release(&before);
	gx_push_release(&after);
}
END_TEST

START_TEST(what_imap_shows_makes_a_new_uid)
{
	uint8_t *att = it_noise(3000000, 8);
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	uint64_t mid = deliver(t, att, 3000000);
	deliver(t, att, 5000);
	st_commit(t);
	struct gx_imapview *v = st_view(it_s, GX_FID_INBOX);
	t = st_begin(it_s, GX_TXN_READ);
	uint64_t since = gx_imapview_modseq(v);
	int64_t files = it_count(t, "SELECT COUNT(*) FROM content WHERE data IS NULL");
	ck_assert_int_eq(files, 1);
	gx_txn_abort(t);
	change_one(mid, PidTagSubject, (union gx_value){.str = "other"});
	struct seen x = refresh(v);
	ck_assert(x.expunged == 1 && x.last == 1 && x.exists == 1);
	ck_assert_uint_eq(gx_imapview_count(v), 2);
	ck_assert_uint_eq(gx_imapview_at(v, 2).mid, mid);
	t = st_begin(it_s, GX_TXN_READ);
	struct gx_msg_info m = it_info(t, mid);
	uint32_t *uids;
	size_t n;
	ck_assert(m.uid == 3 && !(m.flags & GX_MSGF_HASORIG));
	ST_OK(gx_folder_vanished(t, GX_FID_INBOX, since, it_a, &uids, &n));
	ck_assert(n == 1 && uids[0] == 1);
	/* The attachment is the same content, and the text that was a piece of the original is there. */
	ck_assert_int_eq(it_count(t, "SELECT COUNT(*) FROM content WHERE data IS NULL"), 1);
	struct gx_inst *i = it_open(t, mid);
	ck_assert_mem_eq(it_att_data(t, i, 0).data, att, 3000000);
	ck_assert_str_eq(it_str(t, i, PidTagBody), "a text that is sent 7bit\r\n");
	ck_assert_int_eq(it_i32(t, i, PidTagMessageFlags) & MSGFLAG_UNMODIFIED, 0);
	gx_inst_free(i);
	gx_txn_abort(t);
	/* Once more; what is not shown leaves the UID as it is, also now that there is no original. */
	change_one(mid, PidTagSubject, (union gx_value){.str = "third"});
	x = refresh(v);
	ck_assert(x.expunged == 1 && x.last == 3 && x.exists == 1);
	change_one(mid, PidTagIconIndex, (union gx_value){.i32 = 3});
	change_one(mid, PidTagFlagStatus, (union gx_value){.i32 = 2});
	x = refresh(v);
	ck_assert(x.expunged == 0 && x.exists == 0);
	gx_imapview_close(v);
}
END_TEST

START_TEST(the_original_of_a_copy_is_its_own)
{
	uint8_t *att = it_noise(50000, 9);
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	uint64_t mid = deliver(t, att, 50000);
	struct gx_msg_ids copy;
	struct gx_push out = GX_PUSH_INIT;
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &mid, 1, GX_FID_DRAFTS, false, &copy));
	st_commit(t);
	change_one(copy.mid, PidTagIconIndex, (union gx_value){.i32 = 3});
	st_verify(it_s);
	change_one(mid, PidTagSubject, (union gx_value){.str = "other"});
	st_verify(it_s);
	t = st_begin(it_s, GX_TXN_READ);
	ck_assert(it_info(t, copy.mid).flags & GX_MSGF_HASORIG);
	ST_OK(gx_msg_original(t, copy.mid, 0, UINT64_MAX, &out));
	ck_assert_uint_gt(out.len, 60000);
	gx_txn_abort(t);
	gx_push_release(&out);
	/* The first one goes: contents are still those of the other. */
	t = st_begin(it_s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, true));
	st_commit(t);
	st_verify(it_s);
	t = st_begin(it_s, GX_TXN_READ);
	struct gx_inst *i = it_open(t, copy.mid);
	ck_assert_mem_eq(it_att_data(t, i, 0).data, att, 50000);
	gx_inst_free(i);
	gx_txn_abort(t);
}
END_TEST

/* ---- Streams ---- */

static void check_stream(struct gx_txn *t, struct gx_inst_stream *x, const uint8_t *want, size_t n)
{
	struct gx_push out = GX_PUSH_INIT;
	uint64_t seed = n;
	ck_assert_uint_eq(gx_inst_stream_size(x), n);
	for (int k = 0; k < 12; k++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		size_t off = (size_t)(seed >> 33) % (n + 100), len = (size_t)(seed >> 13) % 70000;
		gx_push_clear(&out);
		ST_OK(gx_inst_stream_read(t, x, off, len, &out));
		size_t have = off >= n ? 0 : len < n - off ? len : n - off;
		ck_assert_uint_eq(out.len, have);
		if (have > 0)
			ck_assert_mem_eq(out.data, want + off, have);
	}
	gx_push_release(&out);
}

START_TEST(values_read_in_pieces)
{
	static const size_t sizes[] = {10, 5000, 100000, 3000000};
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		uint8_t *att = it_noise(sizes[k], k);
		struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
		uint64_t mid = deliver(t, att, sizes[k]);
		st_commit(t);
		t = st_begin(it_s, GX_TXN_READ);
		struct gx_inst *i = it_open(t, mid), *x;
		struct gx_inst_stream *s;
		ST_OK(gx_inst_att_open(t, i, 0, GX_INST_READ, &x));
		ST_OK(gx_inst_stream_open(t, x, PidTagAttachDataBinary, GX_STREAM_READ, &s));
		check_stream(t, s, att, sizes[k]);
		ST_IS(gx_inst_stream_write(t, s, 0, "x", 1), ecAccessDenied);
		ST_IS(gx_inst_stream_commit(s), ecAccessDenied);
		gx_inst_free(x); /* the stream keeps what it needs */
		gx_inst_free(i);
		check_stream(t, s, att, sizes[k]);
		gx_inst_stream_free(s);
		gx_txn_abort(t);
	}
}
END_TEST

/* Random writes, cuts and extensions against the same in memory. */
static void scribble(struct gx_txn *t, struct gx_inst_stream *s, uint8_t *model, size_t *io_n, size_t max, uint64_t seed)
{
	for (int k = 0; k < 40; k++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		size_t off = (size_t)(seed >> 33) % max, n = (size_t)(seed >> 17) % (max / 8);
		if (seed >> 61 == 0) {
			ST_OK(gx_inst_stream_set_size(t, s, off));
			if (off > *io_n)
				memset(model + *io_n, 0, off - *io_n);
			*io_n = off;
			continue;
		}
		n = n < max - off ? n : max - off;
		uint8_t *p = it_noise(n, seed);
		ST_OK(gx_inst_stream_write(t, s, off, p, n));
		if (n == 0)
			continue;
		if (off > *io_n)
			memset(model + *io_n, 0, off - *io_n);
		memcpy(model + off, p, n);
		*io_n = off + n > *io_n ? off + n : *io_n;
	}
	check_stream(t, s, model, *io_n);
}

START_TEST(values_written_in_pieces)
{
	static const size_t max[] = {2000, 60000, 6000000};
	for (size_t k = 0; k < sizeof(max) / sizeof(max[0]); k++) {
		struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
		struct gx_inst *i = it_new(t, GX_FID_DRAFTS), *x, *y;
		struct gx_inst_stream *s;
		uint8_t *model = gx_arena_calloc(it_a, 1, max[k]);
		size_t n = 0;
		uint32_t num;
		ST_OK(gx_inst_att_new(t, i, &num, &x));
		ST_IS(gx_inst_stream_open(t, x, PidTagAttachDataBinary, GX_STREAM_WRITE, &s), ecNotFound);
		ST_OK(gx_inst_stream_open(t, x, PidTagAttachDataBinary, GX_STREAM_CREATE, &s));
		scribble(t, s, model, &n, max[k], k + 1);
		ck_assert_ptr_null(it_get(t, x, PidTagAttachDataBinary)); /* not before it is committed */
		ST_OK(gx_inst_stream_commit(s));
		ck_assert_mem_eq(it_get(t, x, PidTagAttachDataBinary)->v.bin.data, model, n);
		ck_assert_uint_eq(it_get(t, x, PidTagAttachDataBinary)->v.bin.len, n);
		ST_OK(gx_inst_save(t, x, 0, NULL));
		scribble(t, s, model, &n, max[k], k + 7); /* goes on, and others keep what was committed */
		ST_OK(gx_inst_stream_commit(s));
		gx_inst_stream_free(s);
		ST_OK(gx_inst_save(t, x, 0, NULL));
		gx_inst_free(x);
		ck_assert_int_eq(gx_inst_prepare(i), 0);
		struct gx_save_result r = it_save(t, i);
		gx_inst_free(i);
		st_commit(t);
		t = st_begin(it_s, GX_TXN_WRITE);
		i = it_open(t, r.mid);
		ST_OK(gx_inst_att_open(t, i, 0, GX_INST_WRITE, &y));
		ST_OK(gx_inst_stream_open(t, y, PidTagAttachDataBinary, GX_STREAM_WRITE, &s));
		check_stream(t, s, model, n);
		uint8_t *stored = gx_arena_memdup(it_a, model, n);
		size_t was = n;
		scribble(t, s, model, &n, max[k], k + 11); /* a copy of its own */
		ck_assert_uint_eq(it_att_data(t, i, 0).len, was);
		ck_assert_mem_eq(it_att_data(t, i, 0).data, stored, was);
		gx_inst_stream_free(s); /* given up */
		ck_assert_mem_eq(it_get(t, y, PidTagAttachDataBinary)->v.bin.data, stored, was);
		gx_inst_free(y);
		gx_inst_free(i);
		gx_txn_abort(t);
	}
}
END_TEST

START_TEST(streams_of_text)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS);
	struct gx_inst_stream *s;
	ST_IS(gx_inst_stream_open(t, i, PidTagImportance, GX_STREAM_READ, &s), ecNotSupported);
	ST_IS(gx_inst_stream_open(t, i, PidTagBody, GX_STREAM_READ, &s), ecNotFound);
	ST_IS(gx_inst_stream_open(t, i, PidTagDisplayTo, GX_STREAM_CREATE, &s), ecAccessDenied);
	ST_IS(gx_inst_stream_open(t, i, PidTagChangeKey, GX_STREAM_CREATE, &s), ecAccessDenied);
	ST_OK(gx_inst_stream_open(t, i, PidTagSubject, GX_STREAM_CREATE, &s));
	ST_OK(gx_inst_stream_write(t, s, 0, "RE: x", 5));
	ST_OK(gx_inst_stream_commit(s));
	gx_inst_stream_free(s);
	ck_assert_str_eq(it_str(t, i, PidTagNormalizedSubject), "x");
	ST_OK(gx_inst_stream_open(t, i, PidTagDisplayTo, GX_STREAM_READ, &s));
	ck_assert_uint_eq(gx_inst_stream_size(s), 0);
	gx_inst_stream_free(s);
	ST_OK(gx_inst_stream_open(t, i, PidTagBody, GX_STREAM_CREATE, &s));
	char *line = gx_arena_strdup(it_a, "grüße and more text\r\n");
	for (unsigned k = 0; k < 5000; k++)
		ST_OK(gx_inst_stream_write(t, s, gx_inst_stream_size(s), line, strlen(line)));
	ST_IS(gx_inst_stream_set_size(t, s, (uint64_t)GX_INST_TEXT_MAX + 1), ecTooBig);
	ST_OK(gx_inst_stream_commit(s));
	gx_inst_stream_free(s);
	ck_assert_uint_eq(strlen(it_str(t, i, PidTagBody)), 5000 * strlen(line));
	/* Bytes are no text, however many they are. */
	for (size_t size = 1000; size <= 100000; size *= 100) {
		ST_OK(gx_inst_stream_open(t, i, GX_PROP_RETYPE(PidTagBody, PtypBinary), GX_STREAM_CREATE, &s));
		ST_OK(gx_inst_stream_write(t, s, 0, it_noise(size, 1), size));
		ST_IS(gx_inst_stream_commit(s), ecUnexpectedType);
		gx_inst_stream_free(s);
		ck_assert_uint_eq(strlen(it_str(t, i, PidTagBody)), 5000 * strlen(line));
	}
	ST_OK(gx_inst_stream_open(t, i, PidTagHtml, GX_STREAM_CREATE, &s));
	ST_IS(gx_inst_stream_set_size(t, s, (uint64_t)GX_INST_VALUE_MAX + 1), ecTooBig);
	ST_IS(gx_inst_stream_write(t, s, UINT64_MAX, "x", 1), ecTooBig);
	gx_inst_stream_free(s);
	struct gx_save_result r = it_save(t, i);
	gx_inst_free(i);
	st_commit(t);
	t = st_begin(it_s, GX_TXN_READ);
	i = it_open(t, r.mid);
	ck_assert_int_eq(memcmp(it_str(t, i, PidTagBody), line, strlen(line)), 0);
	const gx_proptag_t tag = PidTagBody;
	struct gx_proplist l;
	ST_OK(gx_inst_get_props(t, i, &tag, 1, 1000, it_a, &l));
	ck_assert_uint_eq(l.count, 1);
	ck_assert_uint_eq(l.v[0].tag, GX_PROP_RETYPE(PidTagBody, PtypErrorCode));
	ck_assert_uint_eq(l.v[0].v.err, ecMAPIOOM);
	gx_inst_free(i);
	gx_txn_abort(t);
}
END_TEST

START_TEST(memory_is_bounded)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS);
	struct gx_inst_stream *s;
	uint32_t num;
	struct gx_inst *x;
	uint8_t *chunk = it_noise(1 << 20, 3);
	ST_OK(gx_inst_att_new(t, i, &num, &x));
	ST_OK(gx_inst_stream_open(t, x, PidTagAttachDataBinary, GX_STREAM_CREATE, &s));
	for (unsigned k = 0; k < 40; k++) { /* 40 MB, of which no more than GX_BLOB_SPILL is in memory */
		ST_OK(gx_inst_stream_write(t, s, (uint64_t)k << 20, chunk, 1 << 20));
		ck_assert_uint_le(atomic_load(&i->tree->acct->used), GX_BLOB_SPILL + 100000);
	}
	ST_OK(gx_inst_stream_commit(s));
	gx_inst_stream_free(s);
	ST_OK(gx_inst_save(t, x, 0, NULL));
	gx_inst_free(x);
	ck_assert_int_eq(gx_inst_prepare(i), 0);
	ck_assert_uint_le(atomic_load(&i->tree->acct->used), GX_BLOB_SPILL + 100000);
	struct gx_save_result r = it_save(t, i);
	ck_assert_uint_le(atomic_load(&i->tree->acct->used), 10000);
	/* What may not be more is refused, and nothing is lost. */
	i->tree->acct->limit = 20000;
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_bin(&l, it_a, 0x66670102, chunk, 16000), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, it_a, 0x66680102, chunk, 16000), 0);
	ST_IS(gx_inst_set_props(i, &l, 0, it_a, NULL), ecMAPIOOM);
	gx_inst_free(i);
	i = it_open(t, r.mid);
	ST_OK(gx_inst_att_open(t, i, 0, GX_INST_READ, &x));
	ST_OK(gx_inst_stream_open(t, x, PidTagAttachDataBinary, GX_STREAM_READ, &s));
	ck_assert_uint_eq(gx_inst_stream_size(s), (uint64_t)40 << 20);
	struct gx_push out = GX_PUSH_INIT;
	ST_OK(gx_inst_stream_read(t, s, ((uint64_t)39 << 20) - 10, 20, &out));
	ck_assert_mem_eq(out.data, chunk + (1 << 20) - 10, 10);
	ck_assert_mem_eq(out.data + 10, chunk, 10);
	ck_assert_uint_le(atomic_load(&i->tree->acct->used), 10000);
	gx_push_release(&out);
	gx_inst_stream_free(s);
	gx_inst_free(x);
	gx_inst_free(i);
	ST_OK(gx_msg_delete(t, GX_FID_DRAFTS, &r.mid, 1, true));
	st_commit(t);
}
END_TEST

/* ---- Whole objects ---- */

static struct gx_msgobj *sample(unsigned depth)
{
	struct gx_msgobj *m = gx_msgobj_new(it_a);
	const struct gx_propname n = GX_LID(PidLidFileUnder);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, it_a, PidTagSubject, gx_arena_printf(it_a, "object %u", depth)), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, it_a, PidTagMessageClass, "IPM.Note"), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, it_a, PidTagHtml, it_noise(40000, depth), 40000), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, it_a, PidTagAccess, 3), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, it_a, &n, PtypString, (union gx_value){.str = "under"}), 0);
	for (int k = 0; k < 3; k++) {
		struct gx_proplist *r = gx_msgobj_add_rcpt(m, it_a);
		ck_assert_int_eq(gx_proplist_set_str(r, it_a, PidTagSmtpAddress, gx_arena_printf(it_a, "r%d@example.org", k)), 0);
	}
	struct gx_attach *x = gx_msgobj_add_attach(m, it_a);
	ck_assert_int_eq(gx_proplist_set_str(&x->props, it_a, PidTagAttachLongFilename, "x"), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&x->props, it_a, PidTagAttachDataBinary, it_noise(9000, 99), 9000), 0);
	if (depth > 0) {
		x = gx_msgobj_add_attach(m, it_a);
		x->embedded = sample(depth - 1);
	}
	return m;
}

static void check_sample(const struct gx_msgobj *m, unsigned depth)
{
	const struct gx_propname n = GX_LID(PidLidFileUnder);
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagSubject, ""), gx_arena_printf(it_a, "object %u", depth));
	ck_assert_mem_eq(gx_proplist_get(&m->props, PidTagHtml)->v.bin.data, it_noise(40000, depth), 40000);
	ck_assert_ptr_nonnull(gx_msgobj_get_named(m, &n));
	ck_assert_uint_eq(m->rcpt_count, 3);
	ck_assert_int_eq(gx_proplist_i32(&m->rcpts[2], PidTagRowid, -1), 2);
	ck_assert_uint_eq(m->att_count, depth > 0 ? 2 : 1);
	ck_assert_mem_eq(gx_proplist_get(&m->atts[0].props, PidTagAttachDataBinary)->v.bin.data, it_noise(9000, 99), 9000);
	if (depth > 0)
		check_sample(m->atts[1].embedded, depth - 1);
}

START_TEST(whole_objects_go_in_and_out)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS), *x;
	struct gx_proplist tags;
	struct gx_problems p;
	struct gx_msgobj *m;
	struct gx_attach att;
	ST_OK(gx_inst_write(t, i, sample(3), GX_WRITE_FORCE, it_a, &tags, &p));
	ck_assert_uint_eq(p.count, 1); /* PidTagAccess */
	ck_assert_uint_eq(p.v[0].err, ecComputedValue);
	ck_assert_uint_eq(tags.count, 4);
	ST_OK(gx_inst_read(t, i, it_a, &m));
	check_sample(m, 3);
	struct gx_save_result r = it_save(t, i);
	gx_inst_free(i);
	st_commit(t);
	st_verify(it_s);
	t = st_begin(it_s, GX_TXN_READ);
	i = it_open(t, r.mid);
	ST_OK(gx_inst_read(t, i, it_a, &m));
	check_sample(m, 3);
	ck_assert_ptr_nonnull(gx_proplist_get(&m->props, PidTagChangeKey));
	ST_OK(gx_inst_att_open(t, i, 1, GX_INST_READ, &x));
	ST_OK(gx_inst_read_att(t, x, it_a, &att));
	check_sample(att.embedded, 2);
	ST_IS(gx_inst_read(t, x, it_a, &m), ecInvalidObject);
	ST_IS(gx_inst_write(t, x, sample(0), 0, it_a, NULL, NULL), ecInvalidObject);
	gx_inst_free(x);
	gx_inst_free(i);
	gx_txn_abort(t);
	/* Merged without force: what is there stays. */
	t = st_begin(it_s, GX_TXN_WRITE);
	i = it_open(t, r.mid);
	struct gx_msgobj *small = gx_msgobj_new(it_a);
	ck_assert_int_eq(gx_proplist_set_str(&small->props, it_a, PidTagSubject, "object 3"), 0);
	ck_assert_ptr_nonnull(gx_msgobj_add_rcpt(small, it_a));
	ck_assert_ptr_nonnull(gx_msgobj_add_attach(small, it_a));
	ST_OK(gx_inst_write(t, i, small, 0, it_a, NULL, NULL));
	ST_OK(gx_inst_read(t, i, it_a, &m));
	check_sample(m, 3);
	ST_OK(gx_inst_clear(i));
	ST_OK(gx_inst_read(t, i, it_a, &m));
	ck_assert(m->rcpt_count == 0 && m->att_count == 0 && m->named_count == 0);
	ST_OK(gx_inst_reload(t, i));
	ST_OK(gx_inst_read(t, i, it_a, &m));
	check_sample(m, 3);
	gx_inst_free(i);
	/* The whole thing over an existing message. */
	struct gx_msg_write_opts o = GX_MSG_WRITE_OPTS_INIT;
	struct gx_msg_ids ids;
	o.mid = r.mid;
	ST_OK(gx_msg_write(t, GX_FID_DRAFTS, sample(1), &o, &ids));
	ck_assert_uint_eq(ids.mid, r.mid);
	i = it_open(t, r.mid);
	ST_OK(gx_inst_read(t, i, it_a, &m));
	check_sample(m, 1);
	gx_inst_free(i);
	st_commit(t);
}
END_TEST

START_TEST(conflicts_show_both_versions)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS);
	struct gx_msgobj *m;
	ST_OK(gx_inst_write(t, i, sample(1), GX_WRITE_FORCE, it_a, NULL, NULL));
	it_save(t, i);
	ST_OK(gx_inst_set_conflict(t, i, sample(0)));
	ck_assert_int_eq(it_i32(t, i, PidTagMessageStatus) & 0x800, 0x800);
	ck_assert_uint_eq(it_problem(i, PidTagMessageStatus, (union gx_value){.i32 = 0x1000}, 0), ecSuccess);
	ck_assert_int_eq(it_i32(t, i, PidTagMessageStatus), 0x1800); /* not the client's to take away */
	it_save(t, i);
	ST_OK(gx_inst_set_conflict(t, i, sample(2))); /* a third one joins them */
	it_save(t, i);
	ST_OK(gx_inst_read(t, i, it_a, &m));
	ck_assert_uint_eq(m->att_count, 5);
	check_sample(m->atts[2].embedded, 1);
	check_sample(m->atts[3].embedded, 0);
	check_sample(m->atts[4].embedded, 2);
	ck_assert(gx_proplist_get(&m->atts[2].props, PidTagInConflict)->v.b);
	gx_inst_free(i);
	st_commit(t);
}
END_TEST

START_TEST(stored_messages_in_one_go)
{
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_msgobj *m = sample(0);
	struct gx_msg_ids ids;
	struct gx_problems p;
	struct gx_proplist l = {0};
	uint32_t old;
	ck_assert_int_eq(gx_proplist_set_bool(&m->props, it_a, PidTagNonReceiptNotificationRequested, true), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, it_a, PidTagMessageFlags, MSGFLAG_UNMODIFIED), 0);
	ST_OK(gx_msg_write(t, GX_FID_INBOX, m, NULL, &ids));
	ck_assert(it_info(t, ids.mid).flags & GX_MSGF_NRNPENDING);
	ck_assert_int_eq(gx_proplist_set_str(&l, it_a, PidTagSubject, "s"), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, it_a, PidTagMessageFlags, 1), 0);
	static const gx_proptag_t away[] = {PidTagHtml, PidTagEntryId};
	ST_OK(gx_msg_change_props(t, ids.mid, &l, away, 2, 0, it_a, &p));
	ck_assert_uint_eq(p.count, 2);
	ck_assert(p.v[0].index == 1 && p.v[0].err == ecAccessDenied && p.v[1].index == 1 && p.v[1].err == ecComputedValue);
	struct gx_msg_info was = it_info(t, ids.mid);
	ST_OK(gx_msg_set_status(t, ids.mid, 0x3000, 0x1000, &old));
	ck_assert_uint_eq(old, 0);
	ST_OK(gx_msg_set_status(t, ids.mid, 0x2000, 0x2000, &old));
	ck_assert_uint_eq(old, 0x1000);
	ck_assert_uint_eq(it_info(t, ids.mid).cn, was.cn); /* no version, [MS-OXCMSG] 3.2.5.8 */
	ST_OK(gx_msg_brief(t, ids.mid, it_a, &m));
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagSubject, ""), "s");
	ck_assert(m->rcpt_count == 3 && m->att_count == 1);
	ck_assert_ptr_null(gx_proplist_get(&m->atts[0].props, PidTagAttachDataBinary));
	st_commit(t);
}
END_TEST

/* ---- Bodies ---- */

/* Says what it was asked for. */
static int convert(int from, int to, struct gx_bin in, uint32_t cp, struct gx_arena *a, struct gx_bin *ret_out, void *ctx)
{
	const char *s;
	(void)ctx;
	if (to == GX_BODY_RTF && from == GX_BODY_PLAIN)
		return GX_E_UNSUP;
	s = gx_arena_printf(a, "%d>%d cp%u %.*s", from, to, cp, (int)in.len, (const char *)in.data);
	*ret_out = (struct gx_bin){(const uint8_t *)s, strlen(s)};
	return s == NULL ? GX_E_NOMEM : 0;
}

START_TEST(missing_bodies_are_made)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	o.convert = convert;
	gx_store_close(it_s);
	it_s = st_open_with(it_dir, &o);
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS);
	struct gx_inst_stream *s;
	ck_assert_ptr_null(it_get(t, i, PidTagBody));
	it_set_str(i, PidTagBody, "text");
	ck_assert_int_eq(it_i32(t, i, PidTagNativeBody), 1);
	ck_assert_mem_eq(it_get(t, i, PidTagHtml)->v.bin.data, "1>3 cp65001 text", 16);
	ck_assert_ptr_null(it_get(t, i, PidTagRtfCompressed)); /* this converter cannot */
	ST_OK(gx_inst_stream_open(t, i, PidTagHtml, GX_STREAM_READ, &s));
	ck_assert_uint_eq(gx_inst_stream_size(s), 16);
	gx_inst_stream_free(s);
	struct gx_save_result r = it_save(t, i);
	/* HTML comes instead of the old text; text given with it stays. */
	it_set_bin(i, PidTagHtml, "<p>", 3);
	ck_assert_int_eq(it_i32(t, i, PidTagNativeBody), 3);
	ck_assert_str_eq(it_str(t, i, PidTagBody), "3>1 cp65001 <p>");
	it_set_str(i, PidTagBody, "given");
	ck_assert_str_eq(it_str(t, i, PidTagBody), "given");
	ck_assert_mem_eq(it_get(t, i, PidTagHtml)->v.bin.data, "<p>", 3);
	it_save(t, i);
	ck_assert_int_eq(it_i32(t, i, PidTagNativeBody), 3);
	/* As text, and with a code page. */
	it_set_i32(i, PidTagInternetCodepage, 1252);
	it_set_bin(i, PidTagHtml, "\xe4", 1);
	ck_assert_str_eq(it_str(t, i, PidTagBodyHtml), "\xc3\xa4");
	it_set_str(i, PidTagBodyHtml, "<b>ä");
	ck_assert_mem_eq(it_get(t, i, PidTagHtml)->v.bin.data, "<b>ä", 5);
	ck_assert_int_eq(it_i32(t, i, PidTagInternetCodepage), 65001);
	it_save(t, i);
	gx_inst_free(i);
	const gx_proptag_t tags[] = {PidTagBody, PidTagRtfCompressed, PidTagHtml, PidTagNativeBody};
	struct gx_proplist l;
	ST_OK(gx_msg_get_props(t, r.mid, tags, 4, it_a, &l));
	ck_assert_uint_eq(l.count, 4);
	ck_assert_str_eq(l.v[0].v.str, "3>1 cp65001 <b>ä");
	st_commit(t);
}
END_TEST

START_TEST(best_body)
{
	/* [MS-OXBBODY] 2.1.3.1 as far as what is stored can say */
	static const struct {
		bool plain, rtf, html, sync;
		int32_t said, want;
	} cases[] = {
		{0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 1}, {0, 1, 0, 0, 0, 2}, {0, 0, 1, 0, 0, 3}, {1, 1, 0, 0, 0, 1}, {1, 1, 0, 1, 0, 2},
		{1, 0, 1, 0, 0, 3}, {0, 1, 1, 0, 0, 3}, {0, 1, 1, 1, 0, 2}, {1, 1, 1, 0, 0, 3}, {1, 1, 1, 1, 0, 2}, {1, 0, 1, 0, 1, 1},
		{1, 0, 0, 0, 3, 1}, {0, 0, 1, 0, 4, 4},
	};
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct gx_proplist l = {0};
		if (cases[k].plain)
			ck_assert_int_eq(gx_proplist_set_str(&l, it_a, PidTagBody, "x"), 0);
		if (cases[k].rtf)
			ck_assert_int_eq(gx_proplist_set_bin(&l, it_a, PidTagRtfCompressed | GX_PROW_EXTERN, "x", 1), 0);
		if (cases[k].html)
			ck_assert_int_eq(gx_proplist_set_bin(&l, it_a, PidTagHtml, "x", 1), 0);
		if (cases[k].sync)
			ck_assert_int_eq(gx_proplist_set_bool(&l, it_a, PidTagRtfInSync, true), 0);
		if (cases[k].said != 0)
			ck_assert_int_eq(gx_proplist_set_i32(&l, it_a, PidTagNativeBody, cases[k].said), 0);
		ck_assert_msg(gx_msg__native_body(&l) == cases[k].want, "case %zu: %d", k, gx_msg__native_body(&l));
	}
}
END_TEST

START_TEST(values_decoded_in_pieces)
{
	const size_t sizes[] = {1, 57, 5000, 190000, 700001};
	struct gx_inst_stream *s;
	struct gx_inst *x;
	ragged = true;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		const uint8_t *att = it_noise(sizes[k], k);
		struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE);
		uint64_t mid = deliver(t, att, sizes[k]);
		st_commit(t);
		t = st_begin(it_s, GX_TXN_READ);
		struct gx_inst *i = it_open(t, mid);
		ST_OK(gx_inst_att_open(t, i, 0, GX_INST_WRITE, &x));
		ST_OK(gx_inst_stream_open(t, x, PidTagAttachDataObject, GX_STREAM_READ, &s)); /* as good as binary */
		check_stream(t, s, att, sizes[k]);
		gx_inst_stream_free(s);
		ST_OK(gx_inst_stream_open(t, x, PidTagAttachDataBinary, GX_STREAM_WRITE, &s));
		ST_OK(gx_inst_stream_write(t, s, 0, "x", 1));
		ck_assert_uint_eq(gx_inst_stream_size(s), sizes[k]);
		gx_inst_stream_free(s);
		gx_inst_free(x);
		gx_inst_free(i);
		gx_txn_abort(t);
	}
	ragged = false;
}
END_TEST

START_TEST(streams_of_text_in_a_code_page)
{
	static const char gruss[] = "Gr\303\274\303\237e", wide[] = "G\0r\0\374\0\337\0e\0";
	struct gx_txn *t = st_begin(it_s, GX_TXN_READ);
	struct gx_inst *i = it_new(t, GX_FID_DRAFTS);
	struct gx_inst_stream *s;
	ST_OK(gx_inst_stream_open_as(t, i, PidTagBody, GX_STREAM_CREATE, 1200, &s));
	ST_OK(gx_inst_stream_write(t, s, 0, wide, 10));
	ST_OK(gx_inst_stream_commit(s));
	ck_assert_str_eq(it_str(t, i, PidTagBody), gruss);
	/* it goes on from there, and what stands behind a NUL is no text */
	ST_OK(gx_inst_stream_write(t, s, 10, "!\0\0\0x\0y", 7));
	ST_OK(gx_inst_stream_commit(s));
	gx_inst_stream_free(s);
	ck_assert_str_eq(it_str(t, i, PidTagBody), "Gr\303\274\303\237e!");
	ST_OK(gx_inst_stream_open_as(t, i, PidTagBody, GX_STREAM_READ, 1252, &s));
	check_stream(t, s, (const uint8_t *)"Gr\374\337e!", 6);
	gx_inst_stream_free(s);
	/* large ones */
	ST_OK(gx_inst_stream_open_as(t, i, PidTagBody, GX_STREAM_CREATE, 1252, &s));
	for (unsigned k = 0; k < 20000; k++)
		ST_OK(gx_inst_stream_write(t, s, gx_inst_stream_size(s), "\374bersetzung", 11));
	ST_OK(gx_inst_stream_commit(s));
	gx_inst_stream_free(s);
	ck_assert_uint_eq(strlen(it_str(t, i, PidTagBody)), 20000 * 12);
	ST_OK(gx_inst_stream_open_as(t, i, PidTagBody, GX_STREAM_READ, 1200, &s));
	ck_assert_uint_eq(gx_inst_stream_size(s), 20000 * 22);
	gx_inst_stream_free(s);
	gx_inst_free(i);
	gx_txn_abort(t);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("instance_store");
	TCase *c = tcase_create("store");
	tcase_set_timeout(c, 240);
	tcase_add_checked_fixture(c, it_setup, it_teardown);
	tcase_add_test(c, a_flag_of_imap_is_removed);
	tcase_add_test(c, what_imap_does_not_show_leaves_the_original);
	tcase_add_test(c, what_imap_shows_makes_a_new_uid);
	tcase_add_test(c, the_original_of_a_copy_is_its_own);
	tcase_add_test(c, values_read_in_pieces);
	tcase_add_test(c, values_decoded_in_pieces);
	tcase_add_test(c, values_written_in_pieces);
	tcase_add_test(c, streams_of_text);
	tcase_add_test(c, streams_of_text_in_a_code_page);
	tcase_add_test(c, memory_is_bounded);
	tcase_add_test(c, whole_objects_go_in_and_out);
	tcase_add_test(c, conflicts_show_both_versions);
	tcase_add_test(c, stored_messages_in_one_go);
	tcase_add_test(c, missing_bodies_are_made);
	tcase_add_test(c, best_body);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
