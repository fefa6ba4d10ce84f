/* SPDX-License-Identifier: Apache-2.0 */
/* Copies as streams: out of messages, attachments and folders, and into others. */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/fasttransfer_dest.h"
#include "libgxproto/emsmdb/icsclient.h"

enum { SOURCE = 2, COPY = 5, ATTACH = 8 };

static struct gx_store *store(void)
{
	return et_s->logons[0]->store;
}

static void setup(void)
{
	ic_setup();
	ic_open(IC_FOLDER, GX_FID_DRAFTS);
}

static void teardown(void)
{
	st_verify(store());
	ic_teardown();
}

static const uint8_t *bytes(size_t n)
{
	uint8_t *p = gx_arena_alloc(et_a, n);
	for (size_t i = 0; i < n; ++i)
		p[i] = (uint8_t)(i * 31 + i / 977);
	return p;
}

/* With everything that a message can have. */
static struct gx_msgobj *rich(const char *subject, unsigned depth)
{
	static const struct gx_propname name = {.set = {.d1 = 77}, .by_name = true, .name = "Lieblingsfarbe"}, number = {.set = {.d1 = 78}, .lid = 5};
	struct gx_msgobj *m = gx_msgobj_new(et_a);
	char *body = gx_arena_alloc(et_a, 100001);
	memset(body, 'x', 100000);
	memcpy(body + 5000, "\303\274", 2);
	body[100000] = '\0';
	ck_assert_int_eq(gx_proplist_set_str(&m->props, et_a, PidTagSubject, subject), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, et_a, PidTagMessageClass, "IPM.Note"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, et_a, PidTagBody, depth == 0 ? body : "short"), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, et_a, PidTagImportance, 2), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, et_a, &name, PtypString, (union gx_value){.str = "gr\303\274n"}), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, et_a, &number, PtypBinary, (union gx_value){.bin = {bytes(70000), 70000}}), 0);
	for (int i = 0; i < 100; ++i) {
		struct gx_proplist *r = gx_msgobj_add_rcpt(m, et_a);
		ck_assert_int_eq(gx_proplist_set_str(r, et_a, PidTagDisplayName, gx_arena_printf(et_a, "r%d", i)), 0);
		ck_assert_int_eq(gx_proplist_set_i32(r, et_a, PidTagRecipientType, 1 + i % 3), 0);
		ck_assert_int_eq(gx_proplist_set_i32(r, et_a, PidTagRowid, i), 0);
	}
	struct gx_attach *at = gx_msgobj_add_attach(m, et_a);
	ck_assert_int_eq(gx_proplist_set_i32(&at->props, et_a, PidTagAttachMethod, 1), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&at->props, et_a, PidTagAttachDataBinary, bytes(90000), 90000), 0);
	if (depth < 2) {
		at = gx_msgobj_add_attach(m, et_a);
		ck_assert_int_eq(gx_proplist_set_i32(&at->props, et_a, PidTagAttachMethod, 5), 0);
		at->embedded = rich("inside", depth + 1);
	}
	return m;
}

static uint64_t write_message(uint64_t fid, const char *subject, bool fai)
{
	struct gx_msg_write_opts o = GX_MSG_WRITE_OPTS_INIT;
	struct gx_msg_ids ids;
	struct gx_txn *t = st_begin(store(), GX_TXN_WRITE);
	o.associated = fai;
	ST_OK(gx_msg_write(t, fid, rich(subject, 0), &o, &ids));
	st_commit(t);
	return ids.mid;
}

static void same_props(const struct gx_proplist *x, const struct gx_proplist *y)
{
	static const gx_proptag_t v[] = {PidTagSubject, PidTagBody, PidTagImportance, PidTagMessageClass, PidTagAttachDataBinary, PidTagAttachMethod,
		PidTagDisplayName, PidTagRecipientType, PidTagRowid};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); ++i) {
		const struct gx_propval *p = gx_proplist_get(x, v[i]), *q = gx_proplist_get(y, v[i]);
		ck_assert_msg((p == NULL) == (q == NULL), "%s", gx_proptag_name(v[i]));
		ck_assert(p == NULL || gx_value_equal(GX_PROP_TYPE(v[i]), &p->v, &q->v));
	}
}

static void same_message(const struct gx_msgobj *x, const struct gx_msgobj *y)
{
	same_props(&x->props, &y->props);
	for (size_t i = 0; i < x->named_count; ++i) {
		const struct gx_named_propval *q = gx_msgobj_get_named(y, &x->named[i].name);
		ck_assert(q != NULL && gx_value_equal(q->type, &x->named[i].v, &q->v));
	}
	ck_assert_uint_eq(x->rcpt_count, y->rcpt_count);
	for (size_t i = 0; i < x->rcpt_count; ++i)
		same_props(&x->rcpts[i], &y->rcpts[i]);
	ck_assert_uint_eq(x->att_count, y->att_count);
	for (size_t i = 0; i < x->att_count; ++i) {
		same_props(&x->atts[i].props, &y->atts[i].props);
		ck_assert((x->atts[i].embedded == NULL) == (y->atts[i].embedded == NULL));
		if (x->atts[i].embedded != NULL)
			same_message(x->atts[i].embedded, y->atts[i].embedded);
	}
}

static struct gx_msgobj *read_message(uint64_t mid)
{
	struct gx_msgobj *m;
	struct gx_txn *t = st_begin(store(), GX_TXN_READ);
	ST_OK(gx_msg_read(t, mid, et_a, &m));
	gx_txn_abort(t);
	return m;
}

static void open_message(uint8_t h, uint64_t fid, uint64_t mid)
{
	const struct gx_rop_open_message_req q = {1252, gx_eid_wire(fid), 1, gx_eid_wire(mid)};
	ST_OK(et_do(RopOpenMessage, IC_LOGON, h, &q, NULL));
}

static gx_ec copy_to(uint8_t h, uint8_t level, uint32_t flags, uint8_t send, const gx_proptag_t *tags, uint32_t n)
{
	const struct gx_rop_fast_transfer_source_copy_to_req q = {level, flags, send, tags, n};
	return et_do(RopFastTransferSourceCopyTo, h, IC_STATE, &q, NULL);
}

/* In buffers of that size into what stands at @h. */
static gx_ec put_with(uint8_t h, uint8_t operation, struct gx_bin b, size_t size, bool extended)
{
	const struct gx_rop_fast_transfer_destination_configure_req q = {operation, 0};
	ST_OK(et_do(RopFastTransferDestinationConfigure, h, IC_DEST, &q, NULL));
	gx_ec ec = EMS_OK;
	for (size_t at = 0; !gx_ec_failed(ec) && at < b.len; at += size) {
		size_t n = b.len - at < size ? b.len - at : size;
		const struct gx_rop_fast_transfer_destination_put_buffer_req p = {{b.data + at, n}};
		const struct gx_rop_fast_transfer_destination_put_buffer_extended_req e = {{b.data + at, n}};
		struct gx_rop_fast_transfer_destination_put_buffer_res *r;
		struct gx_rop_fast_transfer_destination_put_buffer_extended_res *x;
		ec = extended ? et_do(RopFastTransferDestinationPutBufferExtended, IC_DEST, 0, &e, (void **)&x) :
			et_do(RopFastTransferDestinationPutBuffer, IC_DEST, 0, &p, (void **)&r);
		ck_assert_uint_eq(extended ? x->buffer_used_size : r->buffer_used_size, gx_ec_failed(ec) ? 0 : n);
		ck_assert_uint_eq(extended ? x->transfer_status : r->transfer_status, gx_ec_failed(ec) ? GX_FTX_STATUS_ERROR : GX_FTX_STATUS_PARTIAL);
	}
	return ec;
}

/* ---- Messages ---- */

START_TEST(a_message_into_another)
{
	static const size_t sizes[] = {30000, 4000, 613};
	uint64_t mid = write_message(GX_FID_DRAFTS, "everything", false);
	struct gx_msgobj *want = read_message(mid);
	struct gx_bin first = {0};
	for (int i = 0; i < 3; ++i) {
		struct gx_rop_save_changes_message_res *s;
		const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = gx_eid_wire(GX_FID_DRAFTS)};
		open_message(SOURCE, GX_FID_DRAFTS, mid);
		ST_OK(copy_to(SOURCE, 0, 0x2000, i == 1 ? GX_FTX_SEND_FOR_UPLOAD : GX_FTX_SEND_UNICODE, NULL, 0));
		struct gx_bin b = ic_all(IC_STATE, (uint16_t)sizes[i]);
		/* the same bytes, however they are cut */
		if (i == 0)
			first = b;
		else if (i == 2)
			ck_assert(b.len == first.len && memcmp(b.data, first.data, b.len) == 0);
		ST_OK(et_do(RopCreateMessage, IC_FOLDER, COPY, &q, NULL));
		ST_OK(put_with(COPY, GX_FTX_FROM_COPY_TO, b, sizes[i], i == 1));
		ST_OK(et_do(RopSaveChangesMessage, COPY, COPY, &(struct gx_rop_save_changes_message_req){2}, (void **)&s));
		uint64_t made = gx_eid_counter(s->message_id);
		ck_assert_uint_ne(made, mid);
		same_message(want, read_message(made));
	}
}
END_TEST

static int count_prop(const struct gx_ftx_prop *p, void *ctx)
{
	size_t *n = ctx;
	(void)p;
	++*n;
	return 0;
}

static int count_marker(gx_proptag_t m, void *ctx)
{
	size_t *n = ctx;
	(void)m;
	++n[1];
	return 0;
}

static int ignore_meta(const struct gx_ftx_prop *p, void *ctx)
{
	(void)p;
	(void)ctx;
	return 0;
}

/* Properties and markers of what stands at IC_STATE. */
static void count(int root, size_t ret_n[2])
{
	static const struct gx_ftx_in_ops ops = {.prop = count_prop, .marker = count_marker, .meta = ignore_meta};
	struct gx_bin b = ic_all(IC_STATE, 20000);
	ret_n[0] = ret_n[1] = 0;
	struct gx_ftx_in *in = gx_ftx_in_new(&(struct gx_ftx_in_opts){.root = root}, &ops, ret_n);
	ck_assert_msg(gx_ftx_in_write(in, b.data, b.len, NULL) == 0, "%s", gx_ftx_in_text(in));
	ck_assert_int_eq(gx_ftx_in_end(in), 0);
	gx_ftx_in_free(in);
}

START_TEST(parts_of_a_message)
{
	static const gx_proptag_t some[] = {PidTagSubject, PidTagImportance}, parts[] = {PidTagMessageRecipients, PidTagMessageAttachments};
	uint64_t mid = write_message(GX_FID_DRAFTS, "everything", false);
	struct gx_rop_fast_transfer_source_copy_properties_req p = {0, 0, GX_FTX_SEND_UNICODE, some, 2};
	size_t n[2], all[2];
	open_message(SOURCE, GX_FID_DRAFTS, mid);
	ST_OK(et_do(RopFastTransferSourceCopyProperties, SOURCE, IC_STATE, &p, NULL));
	count(GX_FTX_MESSAGE_CONTENT, n);
	ck_assert_uint_eq(n[0], 2);
	ck_assert_uint_eq(n[1], 0);
	ST_OK(copy_to(SOURCE, 1, 0, 1, NULL, 0)); /* nothing inside */
	count(GX_FTX_MESSAGE_CONTENT, all);
	ck_assert_uint_gt(all[0], 10);
	ck_assert_uint_eq(all[1], 0);
	ST_OK(copy_to(SOURCE, 0, 0, 1, some, 2));
	count(GX_FTX_MESSAGE_CONTENT, n);
	ck_assert_uint_gt(n[1], 200);
	ST_OK(copy_to(SOURCE, 0, 0, 1, parts, 2));
	count(GX_FTX_MESSAGE_CONTENT, n);
	ck_assert_uint_eq(n[0], all[0]);
	ck_assert_uint_eq(n[1], 0);
	/* the message inside of an attachment */
	ST_OK(et_do(RopOpenAttachment, SOURCE, ATTACH, &(struct gx_rop_open_attachment_req){0, 1}, NULL));
	ST_OK(copy_to(ATTACH, 0, 0, 1, NULL, 0));
	count(GX_FTX_ATTACHMENT_CONTENT, n);
	ck_assert_uint_gt(n[1], 200);
	ST_OK(et_do(RopFastTransferSourceCopyProperties, ATTACH, IC_STATE, &p, NULL));
	count(GX_FTX_ATTACHMENT_CONTENT, n);
	ck_assert_uint_eq(n[1], 0);
	ST_IS(copy_to(SOURCE, 0, 0x10, 1, NULL, 0), ecInvalidParam);
	ST_IS(copy_to(SOURCE, 0, 0, 0x80, NULL, 0), ecInvalidParam);
	ST_IS(copy_to(IC_LOGON, 0, 0, 1, NULL, 0), ecNotSupported);
	p.copy_flags = 0x10;
	ST_IS(et_do(RopFastTransferSourceCopyProperties, SOURCE, IC_STATE, &p, NULL), ecInvalidParam);
}
END_TEST

/* ---- Folders ---- */

static size_t contents(uint64_t fid, bool fai, uint64_t *v)
{
	struct gx_txn *t = st_begin(store(), GX_TXN_READ);
	GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 AND uid>0 AND (flags&256!=0)=?2 ORDER BY mid");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, fai);
	size_t n = 0;
	while (gx_sql__step(st) > 0)
		v[n++] = gx_sql__u64(st, 0);
	gx_sql__done(st);
	st = NULL;
	gx_txn_abort(t);
	return n;
}

static void same_contents(uint64_t x, uint64_t y, bool fai)
{
	uint64_t a[16], b[16];
	size_t n = contents(x, fai, a);
	ck_assert_uint_eq(n, contents(y, fai, b));
	for (size_t i = 0; i < n; ++i)
		same_message(read_message(a[i]), read_message(b[i]));
}

static uint64_t make_folder(uint64_t parent, const char *name)
{
	uint64_t fid;
	struct gx_proplist l = {0};
	struct gx_txn *t = st_begin(store(), GX_TXN_WRITE);
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagComment, name), 0);
	ST_OK(gx_folder_create(t, parent, name, "IPF.Note", GX_FOLDER_GENERIC, &l, &fid));
	st_commit(t);
	return fid;
}

static uint64_t child(uint64_t parent, const char *name)
{
	uint64_t fid = 0;
	struct gx_txn *t = st_begin(store(), GX_TXN_READ);
	gx_ec ec = gx_folder_by_name(t, parent, name, &fid);
	gx_txn_abort(t);
	return gx_ec_failed(ec) ? 0 : fid;
}

static uint64_t fill_tree(void)
{
	uint64_t top = make_folder(GX_FID_IPMSUBTREE, "top"), sub = make_folder(top, "sub"), deep = make_folder(sub, "deep");
	write_message(top, "one", false);
	write_message(top, "two", false);
	write_message(top, "hidden", true);
	write_message(deep, "three", false);
	make_folder(top, "empty");
	return top;
}

static void same_tree(uint64_t x, uint64_t y)
{
	static const gx_proptag_t tag = PidTagComment;
	struct gx_proplist l;
	uint64_t sub = child(x, "sub"), copy = child(y, "sub");
	same_contents(x, y, false);
	same_contents(x, y, true);
	ck_assert(copy != 0 && child(y, "empty") != 0);
	same_contents(child(sub, "deep"), child(copy, "deep"), false);
	struct gx_txn *t = st_begin(store(), GX_TXN_READ);
	ST_OK(gx_folder_get_props(t, copy, &tag, 1, et_a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, tag, ""), "sub");
	gx_txn_abort(t);
}

START_TEST(a_folder_below_another)
{
	struct gx_rop_fast_transfer_source_copy_folder_req q = {0x10, GX_FTX_SEND_UNICODE};
	uint64_t top = fill_tree(), other = make_folder(GX_FID_IPMSUBTREE, "other");
	size_t n[2];
	ic_open(IC_FOLDER, top);
	ic_open(IC_FOLDER2, other);
	ST_OK(et_do(RopFastTransferSourceCopyFolder, IC_FOLDER, IC_STATE, &q, NULL));
	struct gx_bin b = ic_all(IC_STATE, 5000);
	ST_OK(put_with(IC_FOLDER2, GX_FTX_FROM_COPY_FOLDER, b, 8000, false));
	same_tree(top, child(other, "top"));
	ST_IS(put_with(IC_FOLDER2, GX_FTX_FROM_COPY_FOLDER, b, 30000, false), ecDuplicateName);
	q.copy_flags = 0; /* without what is below */
	ST_OK(et_do(RopFastTransferSourceCopyFolder, IC_FOLDER, IC_STATE, &q, NULL));
	count(GX_FTX_TOP_FOLDER, n);
	q.copy_flags = 0x20;
	ST_IS(et_do(RopFastTransferSourceCopyFolder, IC_FOLDER, IC_STATE, &q, NULL), ecInvalidParam);
	q.copy_flags = 0;
	ST_IS(et_do(RopFastTransferSourceCopyFolder, IC_LOGON, IC_STATE, &q, NULL), ecNotSupported);
}
END_TEST

START_TEST(a_folder_into_another)
{
	static const gx_proptag_t hidden[] = {PidTagFolderAssociatedContents, PidTagContainerHierarchy}, only[] = {PidTagComment};
	const struct gx_rop_fast_transfer_source_copy_properties_req p = {0, 0, GX_FTX_SEND_UNICODE, only, 1};
	uint64_t top = fill_tree(), other = make_folder(GX_FID_IPMSUBTREE, "other"), v[16];
	size_t n[2];
	write_message(other, "replaced", false);
	make_folder(other, "replaced too");
	ic_open(IC_FOLDER, top);
	ic_open(IC_FOLDER2, other);
	ST_OK(copy_to(IC_FOLDER, 0, 0x2000, 1, NULL, 0));
	ST_OK(put_with(IC_FOLDER2, GX_FTX_FROM_COPY_TO, ic_all(IC_STATE, 30000), 30000, true));
	same_tree(top, other);
	ck_assert_uint_eq(child(other, "replaced too"), 0);
	ck_assert_uint_eq(child(GX_FID_IPMSUBTREE, "other"), other); /* it keeps its name */
	ST_OK(copy_to(IC_FOLDER, 0, 0x2000, 1, hidden, 2));
	uint64_t third = make_folder(GX_FID_IPMSUBTREE, "third");
	ic_open(IC_FOLDER2, third);
	ST_OK(put_with(IC_FOLDER2, GX_FTX_FROM_COPY_TO, ic_all(IC_STATE, 30000), 30000, false));
	ck_assert_uint_eq(contents(third, false, v), 2);
	ck_assert_uint_eq(contents(third, true, v), 0);
	ck_assert_uint_eq(child(third, "sub"), 0);
	ST_OK(et_do(RopFastTransferSourceCopyProperties, IC_FOLDER, IC_STATE, &p, NULL));
	count(GX_FTX_FOLDER_CONTENT, n);
	ck_assert_uint_eq(n[0], 1);
	ck_assert_uint_eq(n[1], 0);
}
END_TEST

START_TEST(some_messages)
{
	uint64_t a = write_message(GX_FID_DRAFTS, "one", false), b = write_message(GX_FID_DRAFTS, "two", true), v[16];
	const uint64_t ids[] = {gx_eid_wire(a), gx_eid_wire(0x6543210), gx_eid_wire(b)};
	struct gx_rop_fast_transfer_source_copy_messages_req q = {ids, 3, 0x10, GX_FTX_SEND_UNICODE};
	size_t n[2], with_ids[2];
	ic_open(IC_FOLDER2, GX_FID_INBOX);
	ST_OK(et_do(RopFastTransferSourceCopyMessages, IC_FOLDER, IC_STATE, &q, NULL));
	struct gx_bin all = ic_all(IC_STATE, 30000);
	ST_OK(put_with(IC_FOLDER2, GX_FTX_FROM_COPY_MESSAGES, all, 30000, false));
	ck_assert_uint_eq(contents(GX_FID_INBOX, false, v), 1);
	same_message(read_message(a), read_message(v[0]));
	ck_assert_uint_eq(contents(GX_FID_INBOX, true, v), 1);
	ST_OK(et_do(RopFastTransferSourceCopyMessages, IC_FOLDER, IC_STATE, &q, NULL));
	count(GX_FTX_MESSAGE_LIST, n);
	q.copy_flags = 0x20;
	ST_OK(et_do(RopFastTransferSourceCopyMessages, IC_FOLDER, IC_STATE, &q, NULL));
	count(GX_FTX_MESSAGE_LIST, with_ids);
	ck_assert_uint_gt(with_ids[0], n[0]);
	q.copy_flags = 0x80;
	ST_IS(et_do(RopFastTransferSourceCopyMessages, IC_FOLDER, IC_STATE, &q, NULL), ecInvalidParam);
	ST_IS(et_do(RopFastTransferSourceCopyMessages, IC_LOGON, IC_STATE, &q, NULL), ecNotSupported);
}
END_TEST

/* ---- What is no stream ---- */

START_TEST(bad_streams)
{
	static const uint8_t marker[] = {0x03, 0x00, 0x14, 0x40}; /* IncrSyncEnd */
	const struct gx_bin b = {marker, 4};
	const struct gx_rop_fast_transfer_destination_put_buffer_req p = {b};
	struct gx_rop_fast_transfer_destination_put_buffer_res *r;
	struct gx_rop_fast_transfer_destination_configure_req q = {7, 0};
	ST_IS(et_do(RopFastTransferDestinationConfigure, IC_FOLDER, IC_DEST, &q, NULL), ecInvalidParam);
	q = (struct gx_rop_fast_transfer_destination_configure_req){1, 2};
	ST_IS(et_do(RopFastTransferDestinationConfigure, IC_FOLDER, IC_DEST, &q, NULL), ecInvalidParam);
	q.copy_flags = 0;
	ST_IS(et_do(RopFastTransferDestinationConfigure, IC_LOGON, IC_DEST, &q, NULL), ecNotSupported);
	ST_IS(put_with(IC_FOLDER, 3, b, 100, false), ecFxUnexpectedMarker);
	ST_IS(et_do(RopFastTransferDestinationPutBuffer, IC_DEST, 0, &p, (void **)&r), ecFxInvalidState);
	ck_assert_uint_eq(r->transfer_status, GX_FTX_STATUS_ERROR);
	ST_IS(et_do(RopFastTransferDestinationPutBuffer, IC_FOLDER, 0, &p, NULL), ecNotSupported);
	ST_IS(et_do(RopFastTransferDestinationPutBufferExtended, IC_FOLDER, 0, &p, NULL), ecNotSupported);
}
END_TEST

/* Whatever comes, nothing breaks, and a folder has whole messages only. */
START_TEST(damaged_streams)
{
	uint64_t top = fill_tree(), other = make_folder(GX_FID_IPMSUBTREE, "other");
	const struct gx_rop_fast_transfer_source_copy_folder_req q = {0x10, GX_FTX_SEND_UNICODE};
	ic_open(IC_FOLDER, top);
	ic_open(IC_FOLDER2, other);
	ST_OK(et_do(RopFastTransferSourceCopyFolder, IC_FOLDER, IC_STATE, &q, NULL));
	struct gx_bin b = ic_all(IC_STATE, 30000);
	uint8_t *x = gx_arena_memdup(et_a, b.data, b.len);
	uint64_t seed = 5;
	for (unsigned i = 0; i < gxtest_rounds(30); ++i) {
		seed = seed * UINT64_C(6364136223846793005) + 1;
		size_t at = (size_t)(seed >> 33) % (i % 2 == 0 ? 3000 : b.len);
		x[at] ^= (uint8_t)(1U << (seed >> 20) % 8);
		(void)put_with(IC_FOLDER2, GX_FTX_FROM_COPY_FOLDER, (struct gx_bin){x, b.len < 60000 ? b.len : 60000}, 20000, false);
		x[at] = b.data[at];
		ic_release(IC_DEST);
	}
}
END_TEST

static Suite *emsfast_suite(void)
{
	Suite *suite = suite_create("emsfast");
	TCase *t = tcase_create("emsfast");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_message_into_another);
	tcase_add_test(t, parts_of_a_message);
	tcase_add_test(t, a_folder_below_another);
	tcase_add_test(t, a_folder_into_another);
	tcase_add_test(t, some_messages);
	tcase_add_test(t, bad_streams);
	tcase_add_test(t, damaged_streams);
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(emsfast_suite)
