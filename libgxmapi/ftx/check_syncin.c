/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of synchronisation as a client takes them: all that can be in them, cut anywhere, and what is no such stream. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/syncin.h>

static struct gx_arena *a;

/* What came. */
static struct {
	unsigned messages, folders, deleted, out_of_scope, read, unread, progress, failed, states, rcpts, atts, inner, named;
	size_t body;
	struct gx_bin given;
	int stop_with;
} got;

static void setup(void)
{
	a = gx_arena_new(0);
	memset(&got, 0, sizeof(got));
}

static void teardown(void)
{
	gx_arena_free(a);
}

/* ---- A stream ---- */

static void put_set(struct gx_ftx_out *out, gx_proptag_t tag, uint64_t lo, uint64_t hi, bool by_guid)
{
	const struct gx_guid replica = {.d1 = 5};
	struct gx_globset g = GX_GLOBSET_INIT;
	struct gx_push p = GX_PUSH_INIT;
	ck_assert_int_eq(gx_globset_add_range(&g, lo, hi), 0);
	if (by_guid)
		gx_push_guid(&p, &replica);
	else
		gx_push_u16(&p, 1);
	gx_globset_push(&p, &g);
	const union gx_value v = {.bin = {p.data, p.len}};
	ck_assert_int_eq(gx_ftx_out_prop(out, tag, NULL, &v), 0);
	gx_push_release(&p);
	gx_globset_release(&g);
}

static void put_str(struct gx_ftx_out *out, gx_proptag_t tag, const struct gx_propname *name, const char *s)
{
	ck_assert_int_eq(gx_ftx_out_prop(out, tag, name, &(union gx_value){.str = s}), 0);
}

static void put_marker(struct gx_ftx_out *out, gx_proptag_t m)
{
	ck_assert_int_eq(gx_ftx_out_marker(out, m), 0);
}

static void put_message(struct gx_ftx_out *out, unsigned i)
{
	static const struct gx_propname name = {.set = {.d1 = 3}, .by_name = true, .name = "colour"};
	char *body = gx_arena_alloc(a, 20001);
	memset(body, 'b', 20000);
	body[20000] = '\0';
	put_marker(out, IncrSyncProgressPerMsg);
	ck_assert_int_eq(gx_ftx_out_u32(out, GX_FTX_MESSAGE_SIZE_TAG, 100), 0);
	ck_assert_int_eq(gx_ftx_out_prop(out, GX_FTX_MESSAGE_FAI_TAG, NULL, &(union gx_value){.b = false}), 0);
	put_marker(out, IncrSyncChg);
	ck_assert_int_eq(gx_ftx_out_bin(out, PidTagSourceKey, "0123456789abcdef\0\0\0\0\0\1", 22), 0);
	ck_assert_int_eq(gx_ftx_out_prop(out, PidTagAssociated, NULL, &(union gx_value){.b = i % 2 != 0}), 0);
	put_marker(out, IncrSyncMessage);
	put_str(out, PidTagSubject, NULL, "subject");
	put_str(out, PidTagBody, NULL, body);
	put_str(out, 0x8005001f, &name, "green");
	ck_assert_int_eq(gx_ftx_out_u32(out, MetaTagFXDelProp, PidTagMessageRecipients), 0);
	put_marker(out, StartRecip);
	put_str(out, PidTagDisplayName, NULL, "somebody");
	put_marker(out, EndToRecip);
	put_marker(out, NewAttach);
	ck_assert_int_eq(gx_ftx_out_u32(out, PidTagAttachNumber, 0), 0);
	put_marker(out, StartEmbed);
	put_str(out, PidTagSubject, NULL, "inside");
	put_marker(out, StartRecip);
	put_marker(out, EndToRecip);
	put_marker(out, EndEmbed);
	put_marker(out, EndAttach);
}

static void put_state(struct gx_ftx_out *out, bool contents)
{
	put_marker(out, IncrSyncStateBegin);
	put_set(out, MetaTagCnsetSeen, 1, 90, true);
	put_set(out, MetaTagIdsetGiven, 5, 7, true);
	if (contents)
		put_set(out, MetaTagCnsetRead, 1, 90, true);
	put_marker(out, IncrSyncStateEnd);
	put_marker(out, IncrSyncEnd);
	ck_assert_int_eq(gx_ftx_out_end(out), 0);
}

static struct gx_bin drain(struct gx_ftx_out *out)
{
	uint8_t *buf = gx_arena_alloc(a, 1 << 20);
	size_t n;
	ck_assert_int_eq(gx_ftx_out_read(out, buf, 1 << 20, &n), 0);
	ck_assert(gx_ftx_out_done(out));
	gx_ftx_out_free(out);
	return (struct gx_bin){buf, n};
}

static struct gx_bin contents_stream(void)
{
	const struct gx_progress_information p = {.normal_message_count = 3};
	const struct gx_extended_error_info e = {.error_code = 7};
	struct gx_ftx_out *out = gx_ftx_out_new(&(struct gx_ftx_out_opts){.root = GX_FTX_CONTENTS_SYNC,
		.send_options = GX_FTX_SEND_UNICODE | GX_FTX_SEND_RECOVER_MODE});
	put_marker(out, IncrSyncProgressMode);
	ck_assert_int_eq(gx_ftx_out_struct(out, GX_FTX_PROGRESS_INFORMATION_TAG, GX_FTX_PROGRESS_INFORMATION, &p), 0);
	put_message(out, 0);
	put_message(out, 1);
	put_marker(out, IncrSyncChg); /* one that fails half way */
	put_marker(out, IncrSyncMessage);
	put_str(out, PidTagSubject, NULL, "lost");
	ck_assert_int_eq(gx_ftx_out_error(out, &e), 0);
	put_message(out, 2);
	put_marker(out, IncrSyncDel);
	put_set(out, MetaTagIdsetDeleted, 10, 14, false);
	put_set(out, MetaTagIdsetNoLongerInScope, 20, 21, false);
	put_marker(out, IncrSyncRead);
	put_set(out, MetaTagIdsetRead, 30, 32, false);
	put_set(out, MetaTagIdsetUnread, 40, 40, false);
	put_state(out, true);
	return drain(out);
}

/* ---- Taking it ---- */

static int on_message(const struct gx_syncin_message *m, void *ctx)
{
	(void)ctx;
	ck_assert_int_eq(m->associated, got.messages % 2);
	ck_assert_uint_eq(gx_proplist_get(m->header, PidTagSourceKey)->v.bin.len, 22);
	ck_assert_str_eq(gx_proplist_str(&m->msg->props, PidTagSubject, ""), "subject");
	got.body += strlen(gx_proplist_str(&m->msg->props, PidTagBody, ""));
	got.named += m->msg->named_count;
	got.rcpts += m->msg->rcpt_count;
	got.atts += m->msg->att_count;
	got.inner += m->msg->atts[0].embedded != NULL && m->msg->atts[0].embedded->rcpt_count == 1;
	++got.messages;
	return got.stop_with;
}

static int on_folder(const struct gx_proplist *l, void *ctx)
{
	(void)ctx;
	ck_assert_str_eq(gx_proplist_str(l, PidTagDisplayName, ""), "folder");
	++got.folders;
	return 0;
}

static int on_gone(gx_proptag_t why, const struct gx_idset *ids, void *ctx)
{
	(void)ctx;
	*(why == MetaTagIdsetDeleted ? &got.deleted : &got.out_of_scope) += (unsigned)gx_idset_count(ids);
	return 0;
}

static int on_read(bool read, const struct gx_idset *ids, void *ctx)
{
	(void)ctx;
	*(read ? &got.read : &got.unread) += (unsigned)gx_idset_count(ids);
	return 0;
}

static int on_progress(const struct gx_progress_information *p, void *ctx)
{
	(void)ctx;
	got.progress += p->normal_message_count;
	return 0;
}

static int on_failed(const struct gx_extended_error_info *e, void *ctx)
{
	(void)ctx;
	got.failed += e->error_code;
	return 0;
}

static int on_state(const struct gx_syncin_state *s, void *ctx)
{
	(void)ctx;
	++got.states;
	ck_assert_ptr_nonnull(s->set[GX_SYNCIN_SEEN].data);
	ck_assert_ptr_null(s->set[GX_SYNCIN_SEEN_FAI].data);
	got.given = (struct gx_bin){gx_arena_memdup(a, s->set[GX_SYNCIN_GIVEN].data, s->set[GX_SYNCIN_GIVEN].len), s->set[GX_SYNCIN_GIVEN].len};
	return 0;
}

static const struct gx_syncin_ops all = {on_message, on_folder, on_gone, on_read, on_progress, on_failed, on_state};

static int take(struct gx_bin b, size_t piece, const struct gx_syncin_opts *given)
{
	struct gx_syncin_opts o = GX_SYNCIN_OPTS_INIT;
	struct gx_syncin *s;
	int err = 0;
	o.send_options = GX_FTX_SEND_UNICODE | GX_FTX_SEND_RECOVER_MODE;
	ck_assert_int_eq(gx_syncin_new(given != NULL ? given : &o, &all, NULL, &s), 0);
	for (size_t at = 0; err == 0 && at < b.len; at += piece) {
		size_t n = b.len - at < piece ? b.len - at : piece;
		uint8_t *copy = gxtest_exact(b.data + at, n);
		err = gx_syncin_write(s, copy, n);
		free(copy);
	}
	err = err != 0 ? err : gx_syncin_end(s);
	ck_assert(err != GX_E_FORMAT || *gx_syncin_text(s) != '\0');
	gx_syncin_free(s);
	return err;
}

START_TEST(everything_in_pieces)
{
	static const size_t pieces[] = {1, 7, 1000, 1 << 20};
	struct gx_bin b = contents_stream();
	for (size_t i = 0; i < 4; ++i) {
		memset(&got, 0, sizeof(got));
		ck_assert_int_eq(take(b, pieces[i], NULL), 0);
		ck_assert_uint_eq(got.messages, 3);
		ck_assert_uint_eq(got.body, 60000);
		ck_assert_uint_eq(got.named, 3);
		ck_assert_uint_eq(got.rcpts, 3);
		ck_assert_uint_eq(got.atts, 3);
		ck_assert_uint_eq(got.inner, 3);
		ck_assert_uint_eq(got.deleted, 5);
		ck_assert_uint_eq(got.out_of_scope, 2);
		ck_assert_uint_eq(got.read, 3);
		ck_assert_uint_eq(got.unread, 1);
		ck_assert_uint_eq(got.progress, 3);
		ck_assert_uint_eq(got.failed, 7);
		ck_assert_uint_eq(got.states, 1);
		ck_assert_uint_gt(got.given.len, 16);
	}
	ck_assert_uint_eq(gx_syncin_state_tag(GX_SYNCIN_READ), MetaTagCnsetRead);
	ck_assert_uint_eq(gx_syncin_state_tag(GX_SYNCIN_SETS), 0);
}
END_TEST

START_TEST(folders)
{
	struct gx_syncin_opts o = GX_SYNCIN_OPTS_INIT;
	struct gx_ftx_out *out = gx_ftx_out_new(&(struct gx_ftx_out_opts){.root = GX_FTX_HIERARCHY_SYNC, .send_options = GX_FTX_SEND_UNICODE});
	for (int i = 0; i < 4; ++i) {
		put_marker(out, IncrSyncChg);
		put_str(out, PidTagDisplayName, NULL, "folder");
	}
	put_state(out, false);
	o.hierarchy = true;
	ck_assert_int_eq(take(drain(out), 50, &o), 0);
	ck_assert_uint_eq(got.folders, 4);
	ck_assert_uint_eq(got.states, 1);
}
END_TEST

/* What broke off has handed out what was complete, and no state. */
START_TEST(broken_off)
{
	struct gx_bin b = contents_stream();
	for (size_t n = 0; n < b.len; n += 1 + b.len / 60) {
		memset(&got, 0, sizeof(got));
		ck_assert_int_eq(take((struct gx_bin){b.data, n}, 4096, NULL), GX_E_TRUNC);
		ck_assert_uint_eq(got.states, 0);
		ck_assert_uint_le(got.messages, 3);
	}
}
END_TEST

static int any_message(const struct gx_syncin_message *m, void *ctx)
{
	(void)ctx;
	return m->msg == NULL ? GX_E_INTERNAL : 0;
}

START_TEST(damaged)
{
	static const struct gx_syncin_ops ops = {.message = any_message};
	struct gx_syncin_opts o = GX_SYNCIN_OPTS_INIT;
	struct gx_bin b = contents_stream();
	uint8_t *x = gx_arena_memdup(a, b.data, b.len);
	uint64_t seed = 9;
	o.send_options = GX_FTX_SEND_UNICODE | GX_FTX_SEND_RECOVER_MODE;
	for (unsigned i = 0; i < gxtest_rounds(300); ++i) {
		struct gx_syncin *s;
		seed = seed * UINT64_C(6364136223846793005) + 1;
		size_t at = (size_t)(seed >> 33) % b.len;
		x[at] ^= (uint8_t)(1U << (seed >> 20) % 8);
		ck_assert_int_eq(gx_syncin_new(&o, &ops, NULL, &s), 0);
		int err = gx_syncin_write(s, x, b.len);
		ck_assert_int_ne(err, GX_E_INTERNAL);
		gx_syncin_free(s);
		x[at] = b.data[at];
	}
}
END_TEST

START_TEST(limits)
{
	struct gx_syncin_opts o = GX_SYNCIN_OPTS_INIT;
	struct gx_bin b = contents_stream();
	struct gx_syncin *s;
	o.send_options = GX_FTX_SEND_UNICODE | GX_FTX_SEND_RECOVER_MODE;
	o.max_value = 1000;
	ck_assert_int_eq(take(b, 4096, &o), GX_E_LIMIT);
	o.max_value = 0;
	o.max_message = 10000;
	ck_assert_int_eq(take(b, 4096, &o), GX_E_NOMEM);
	o.max_message = 0;
	got.messages = 0;
	got.stop_with = GX_E_BUSY;
	ck_assert_int_eq(take(b, 4096, &o), GX_E_BUSY);
	o.send_options = GX_FTX_SEND_PARTIAL_ITEM;
	ck_assert_int_eq(gx_syncin_new(&o, &all, NULL, &s), GX_E_INVAL);
	o.send_options = 0;
	ck_assert_int_eq(gx_syncin_new(&o, &(struct gx_syncin_ops){.folder = on_folder}, NULL, &s), GX_E_INVAL);
	gx_syncin_free(NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("syncin");
	TCase *t = tcase_create("syncin");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, everything_in_pieces);
	tcase_add_test(t, folders);
	tcase_add_test(t, broken_off);
	tcase_add_test(t, damaged);
	tcase_add_test(t, limits);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(suite)
