/* SPDX-License-Identifier: Apache-2.0 */
/* Streams. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/emsmdb/emstest.h"
#include "libgxproto/emsmdb/stream.h"

enum { LOGON = 0, FOLDER = 1, MESSAGE = 2, ATT = 3, STREAM = 4, OTHER = 5, CLONE = 6, CHUNK = 30000 };

static void setup_with(const struct gx_ems_opts *o)
{
	et_setup_with(o);
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_NOTES), 0}, NULL));
	et_new_message(LOGON, MESSAGE, GX_FID_DRAFTS);
}

static void setup(void)
{
	setup_with(NULL);
}

static gx_ec open_stream(uint8_t h, uint8_t out, gx_proptag_t tag, uint8_t mode, uint32_t *ret_size)
{
	struct gx_rop_open_stream_res *r = NULL;
	gx_ec ec = et_do(RopOpenStream, h, out, &(struct gx_rop_open_stream_req){tag, mode}, (void **)&r);
	if (!gx_ec_failed(ec) && ret_size != NULL)
		*ret_size = r->stream_size;
	return ec;
}

static gx_ec put(uint8_t h, const void *p, size_t n)
{
	struct gx_rop_write_stream_res *r;
	gx_ec ec = et_do(RopWriteStream, h, 0, &(struct gx_rop_write_stream_req){{p, n}}, (void **)&r);
	ck_assert_uint_eq(r->written_size, gx_ec_failed(ec) ? 0 : n);
	return ec;
}

static struct gx_bin take(uint8_t h, uint16_t n)
{
	struct gx_rop_read_stream_res *r;
	ST_OK(et_do(RopReadStream, h, 0, &(struct gx_rop_read_stream_req){.byte_count = n}, (void **)&r));
	return r->data;
}

static gx_ec seek(uint8_t h, uint8_t origin, int64_t by, uint64_t *ret_pos)
{
	struct gx_rop_seek_stream_res *r = NULL;
	gx_ec ec = et_do(RopSeekStream, h, 0, &(struct gx_rop_seek_stream_req){origin, by}, (void **)&r);
	if (!gx_ec_failed(ec) && ret_pos != NULL)
		*ret_pos = r->new_position;
	return ec;
}

static void expect(uint8_t h, const char *want)
{
	ST_OK(seek(h, 0, 0, NULL));
	struct gx_bin b = take(h, 1000);
	ck_assert_uint_eq(b.len, strlen(want));
	ck_assert_mem_eq(b.data, want, b.len);
}

static uint32_t size_of(uint8_t h)
{
	struct gx_rop_get_stream_size_res *r;
	ST_OK(et_do(RopGetStreamSize, h, 0, NULL, (void **)&r));
	return r->stream_size;
}

START_TEST(written_read_and_saved)
{
	uint32_t n;
	const struct gx_rop_save_changes_attachment_req keep = {2};
	ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, NULL));
	ST_IS(open_stream(ATT, STREAM, PidTagAttachDataBinary, 0, &n), ecNotFound);
	ST_IS(open_stream(ATT, STREAM, PidTagAttachDataBinary, 1, &n), ecNotFound);
	ST_OK(open_stream(ATT, STREAM, PidTagAttachDataBinary, 2, &n));
	ck_assert_uint_eq(n, 0);
	ST_OK(put(STREAM, "hello", 5));
	expect(STREAM, "hello");
	/* at once what others find who use the object */
	ck_assert_uint_eq(et_value(ATT, PidTagAttachDataBinary)->v.bin.len, 5);
	ST_OK(put(STREAM, " world", 6));
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
	uint64_t mid = et_save(MESSAGE);
	/* what comes later is not in there */
	ST_OK(put(STREAM, "!", 1));
	ST_OK(et_open_message(LOGON, OTHER, mid, 0));
	ST_OK(et_do(RopOpenAttachment, OTHER, ATT, &(struct gx_rop_open_attachment_req){0, 0}, NULL));
	ST_OK(open_stream(ATT, STREAM, PidTagAttachDataObject, 0, &n)); /* the same, by another type */
	ck_assert_uint_eq(n, 11);
	expect(STREAM, "hello world");
	ST_IS(put(STREAM, "x", 1), ecStorageAccessDenied);
	ST_IS(et_do(RopSetStreamSize, STREAM, 0, &(struct gx_rop_set_stream_size_req){1}, NULL), ecStorageAccessDenied);
	ST_IS(open_stream(ATT, STREAM, PidTagAttachDataBinary, 1, &n), ecAccessDenied);
	ST_OK(open_stream(ATT, STREAM, PidTagAttachDataBinary, 3, &n));
	ST_IS(put(STREAM, "x", 1), ecStorageAccessDenied);
	ST_IS(open_stream(ATT, STREAM, PidTagAttachNumber, 0, &n), ecNotSupported);
	ST_IS(open_stream(ATT, STREAM, PidTagAttachDataBinary, 9, &n), ecInvalidParam);
	ST_IS(open_stream(LOGON, STREAM, PidTagSubject, 0, &n), ecNotSupported);
}
END_TEST

START_TEST(closed_without_commit)
{
	ST_OK(open_stream(MESSAGE, STREAM, PidTagConversationIndex, 2, NULL));
	ST_OK(put(STREAM, "abc", 3));
	et_release(STREAM);
	ck_assert_uint_eq(et_value(MESSAGE, PidTagConversationIndex)->v.bin.len, 3);
	/* Create makes it empty */
	ST_OK(open_stream(MESSAGE, STREAM, PidTagConversationIndex, 2, NULL));
	ck_assert_uint_eq(et_value(MESSAGE, PidTagConversationIndex)->v.bin.len, 0);
	/* the message may go first */
	et_release(MESSAGE);
	ST_OK(put(STREAM, "abc", 3));
	et_release(STREAM);
}
END_TEST

START_TEST(text)
{
	static const char gruss[] = "Gr\303\274\303\237e", wide[] = "G\0r\0\374\0\337\0e\0", narrow[] = "Gr\374\337e";
	uint32_t n;
	et_set_str(MESSAGE, PidTagBody, gruss);
	ST_OK(open_stream(MESSAGE, STREAM, PidTagBody, 0, &n));
	ck_assert_uint_eq(n, 10);
	ck_assert_mem_eq(take(STREAM, 100).data, wide, 10);
	ST_OK(open_stream(MESSAGE, STREAM, GX_PROP_RETYPE(PidTagBody, PtypString8), 1, &n));
	ck_assert_uint_eq(n, 5);
	ck_assert_mem_eq(take(STREAM, 100).data, narrow, 5);
	ST_OK(put(STREAM, "n!\0beyond", 9));
	ck_assert_str_eq(et_value(MESSAGE, PidTagBody)->v.str, "Gr\303\274\303\237en!");
	ST_OK(open_stream(MESSAGE, STREAM, PidTagBody, 2, &n));
	ST_OK(put(STREAM, wide, 10));
	ST_OK(put(STREAM, "\0\0x", 3));
	ST_OK(et_do(RopCommitStream, STREAM, 0, NULL, NULL));
	ck_assert_str_eq(et_value(MESSAGE, PidTagBody)->v.str, gruss);
	/* HTML of a message that has text */
	ST_IS(open_stream(MESSAGE, STREAM, PidTagImportance, 0, &n), ecNotSupported);
	ST_IS(open_stream(MESSAGE, STREAM, PidTagDisplayTo, 2, &n), ecAccessDenied);
}
END_TEST

START_TEST(positions)
{
	uint64_t at;
	ST_OK(open_stream(MESSAGE, STREAM, PidTagConversationIndex, 2, NULL));
	ST_OK(put(STREAM, "0123456789", 10));
	ST_OK(seek(STREAM, 2, -3, &at));
	ck_assert_uint_eq(at, 7);
	ck_assert_uint_eq(take(STREAM, 100).len, 3);
	ST_OK(seek(STREAM, 1, -8, &at));
	ck_assert_uint_eq(at, 2);
	ck_assert_int_eq(take(STREAM, 1).data[0], '2');
	ST_IS(seek(STREAM, 0, -1, &at), GX_EMS_STREAM_SEEK_ERROR);
	ST_IS(seek(STREAM, 0, 0x80000001LL, &at), GX_EMS_STREAM_SEEK_ERROR);
	ST_IS(seek(STREAM, 1, INT64_MIN, &at), GX_EMS_STREAM_SEEK_ERROR);
	ST_IS(seek(STREAM, 1, INT64_MAX, &at), GX_EMS_STREAM_SEEK_ERROR);
	ST_IS(seek(STREAM, 3, 0, &at), ecStorageInvalidParameter);
	/* beyond the end it grows, with zeroes */
	ST_OK(seek(STREAM, 2, 2, &at));
	ck_assert_uint_eq(size_of(STREAM), 12);
	ST_OK(et_do(RopSetStreamSize, STREAM, 0, &(struct gx_rop_set_stream_size_req){4}, NULL));
	ck_assert_uint_eq(take(STREAM, 10).len, 0);
	expect(STREAM, "0123");
	ST_IS(et_do(RopSetStreamSize, STREAM, 0, &(struct gx_rop_set_stream_size_req){0x80000001U}, NULL), ecStreamSizeError);
	ST_IS(et_do(RopSetStreamSize, MESSAGE, 0, &(struct gx_rop_set_stream_size_req){1}, NULL), ecNotSupported);
	ST_IS(seek(MESSAGE, 0, 0, &at), ecNotSupported);
	ST_IS(et_do(RopGetStreamSize, MESSAGE, 0, NULL, NULL), ecNotSupported);
	ST_IS(put(MESSAGE, "x", 1), ecNotSupported);
	ST_IS(et_do(RopReadStream, MESSAGE, 0, &(struct gx_rop_read_stream_req){.byte_count = 1}, NULL), ecNotSupported);
	ST_IS(et_do(RopReadStream, STREAM, 0, &(struct gx_rop_read_stream_req){0xbabe, 0x80000001U}, NULL), ecRpcFormat);
}
END_TEST

START_TEST(clones_and_copies)
{
	struct gx_rop_copy_to_stream_res *r;
	struct gx_rop_copy_to_stream_fail_503 *f;
	ST_OK(open_stream(MESSAGE, STREAM, PidTagConversationIndex, 2, NULL));
	ST_OK(put(STREAM, "abcdef", 6));
	ST_OK(seek(STREAM, 0, 2, NULL));
	ST_OK(et_do(RopCloneStream, STREAM, CLONE, NULL, NULL));
	ck_assert_int_eq(take(CLONE, 1).data[0], 'c');
	ck_assert_int_eq(take(STREAM, 1).data[0], 'c');
	ST_OK(put(CLONE, "X", 1));
	expect(STREAM, "abcXef");
	et_release(STREAM);
	expect(CLONE, "abcXef");
	ST_IS(et_do(RopCloneStream, MESSAGE, OTHER, NULL, NULL), ecNotSupported);
	/* into another, into itself */
	ST_OK(open_stream(MESSAGE, OTHER, PidTagReportTag, 2, NULL));
	ST_OK(seek(CLONE, 0, 1, NULL));
	ST_OK(et_do(RopCopyToStream, CLONE, OTHER, &(struct gx_rop_copy_to_stream_req){3}, (void **)&r));
	ck_assert(r->read_byte_count == 3 && r->written_byte_count == 3);
	expect(OTHER, "bcX");
	ST_OK(et_do(RopCopyToStream, CLONE, CLONE, &(struct gx_rop_copy_to_stream_req){UINT64_MAX}, (void **)&r));
	ck_assert_uint_eq(r->written_byte_count, 2);
	ST_IS(et_do(RopCopyToStream, MESSAGE, OTHER, &(struct gx_rop_copy_to_stream_req){3}, (void **)&r), ecNotSupported);
	et_handles[9] = GX_ROP_NO_HANDLE;
	ST_IS(et_do(RopCopyToStream, CLONE, 9, &(struct gx_rop_copy_to_stream_req){3}, (void **)&f), ecDstNullObject);
	ck_assert_uint_eq(f->dest_handle_index, 9);
}
END_TEST

START_TEST(other_ways_to_write)
{
	struct gx_rop_write_and_commit_stream_res *w;
	struct gx_rop_write_stream_extended_res *x;
	ST_OK(open_stream(MESSAGE, STREAM, PidTagConversationIndex, 2, NULL));
	ST_OK(et_do(RopWriteAndCommitStream, STREAM, 0, &(struct gx_rop_write_and_commit_stream_req){{(const uint8_t *)"abc", 3}}, (void **)&w));
	ck_assert_uint_eq(w->written_size, 3);
	ST_OK(et_do(RopWriteStreamExtended, STREAM, 0, &(struct gx_rop_write_stream_extended_req){{(const uint8_t *)"def", 3}}, (void **)&x));
	ck_assert_uint_eq(x->written_size, 3);
	expect(STREAM, "abcdef");
	ST_IS(et_do(RopWriteStreamExtended, MESSAGE, 0, &(struct gx_rop_write_stream_extended_req){{(const uint8_t *)"x", 1}}, NULL), ecNotSupported);
	ST_IS(et_do(RopWriteAndCommitStream, MESSAGE, 0, &(struct gx_rop_write_and_commit_stream_req){{(const uint8_t *)"x", 1}}, NULL), ecNotSupported);
	ST_IS(et_do(RopCommitStream, MESSAGE, 0, NULL, NULL), ecNotSupported);
}
END_TEST

START_TEST(folders)
{
	static const gx_proptag_t mine = 0x6f010102;
	struct gx_rop_write_and_commit_stream_res *w;
	ST_IS(open_stream(FOLDER, STREAM, mine, 1, NULL), ecNotFound);
	ST_OK(open_stream(FOLDER, STREAM, mine, 2, NULL));
	ST_OK(put(STREAM, "abc", 3));
	ck_assert_uint_eq(et_value(FOLDER, mine)->v.err, ecNotFound);
	ST_OK(et_do(RopCommitStream, STREAM, 0, NULL, NULL));
	ck_assert_uint_eq(et_value(FOLDER, mine)->v.bin.len, 3);
	ST_IS(et_do(RopWriteAndCommitStream, STREAM, 0, &(struct gx_rop_write_and_commit_stream_req){{(const uint8_t *)"x", 1}}, (void **)&w), ecNotSupported);
	ST_OK(put(STREAM, "def", 3));
	et_release(STREAM); /* that is enough */
	ck_assert_uint_eq(et_value(FOLDER, mine)->v.bin.len, 6);
	ST_OK(open_stream(FOLDER, STREAM, mine, 0, NULL));
	expect(STREAM, "abcdef");
	ST_IS(put(STREAM, "x", 1), ecStorageAccessDenied);
	ST_OK(open_stream(FOLDER, STREAM, mine, 1, NULL));
	ST_IS(et_do(RopSetStreamSize, STREAM, 0, &(struct gx_rop_set_stream_size_req){GX_EMS_FOLDER_STREAM_MAX + 1}, NULL), ecTooBig);
	ST_IS(open_stream(FOLDER, STREAM, PidTagDisplayName, 0, NULL), ecNotSupported);
}
END_TEST

/* ---- Locks between two sessions ---- */

static struct gx_ems_session *second;
static uint32_t second_handles[ET_HANDLES];

static void change_sides(void)
{
	struct gx_ems_session *s = et_s;
	uint32_t h[ET_HANDLES];
	et_s = second;
	second = s;
	memcpy(h, et_handles, sizeof(h));
	memcpy(et_handles, second_handles, sizeof(h));
	memcpy(second_handles, h, sizeof(h));
}

static gx_ec lock(uint64_t off, uint64_t n, uint32_t flags)
{
	return et_do(RopLockRegionStream, STREAM, 0, &(struct gx_rop_lock_region_stream_req){off, n, flags}, NULL);
}

START_TEST(regions_locked)
{
	const struct gx_rop_unlock_region_stream_req unlock = {0, 4, 2};
	ST_OK(open_stream(MESSAGE, STREAM, PidTagConversationIndex, 2, NULL));
	ST_OK(put(STREAM, "0123456789", 10));
	uint64_t mid = et_save(MESSAGE);
	memset(second_handles, 0xff, sizeof(second_handles));
	second = et_connect("ann@example.org", et_dn[0]);
	change_sides();
	et_logon(et_dn[0]);
	ST_OK(et_open_message(LOGON, MESSAGE, mid, 1));
	ST_OK(open_stream(MESSAGE, STREAM, PidTagConversationIndex, 1, NULL));
	ST_OK(lock(0, 4, 2));
	ST_IS(lock(2, 4, 2), ecAccessDenied);
	ST_OK(lock(4, 4, 1));
	ck_assert_uint_eq(take(STREAM, 10).len, 10);
	ST_OK(seek(STREAM, 0, 0, NULL));
	ST_OK(put(STREAM, "x", 1));
	change_sides();
	ST_OK(open_stream(MESSAGE, STREAM, PidTagConversationIndex, 1, NULL));
	ST_IS(lock(0, 1, 1), ecAccessDenied);
	ST_IS(et_do(RopReadStream, STREAM, 0, &(struct gx_rop_read_stream_req){.byte_count = 4}, NULL), ecStorageLockViolation);
	ST_OK(seek(STREAM, 0, 4, NULL));
	ck_assert_uint_eq(take(STREAM, 4).len, 4);
	ST_OK(seek(STREAM, 0, 4, NULL));
	ST_IS(put(STREAM, "y", 1), ecStorageLockViolation);
	ST_OK(et_do(RopUnlockRegionStream, STREAM, 0, &unlock, NULL)); /* not ours */
	ST_IS(lock(0, 1, 1), ecAccessDenied);
	/* the other one has been silent for too long */
	second->sess.used_ms -= 31000;
	ST_OK(lock(0, 1, 1));
	change_sides();
	ST_IS(put(STREAM, "x", 1), ecNetworkError);
	ck_assert_int_eq(et_value(MESSAGE, PidTagConversationIndex)->v.bin.data[0], '0'); /* what it wrote is lost */
	ST_OK(et_do(RopUnlockRegionStream, STREAM, 0, &unlock, NULL));
	ST_OK(seek(STREAM, 0, 0, NULL));
	ck_assert_int_eq(take(STREAM, 1).data[0], '0');
	ST_OK(seek(STREAM, 0, 0, NULL));
	ST_IS(put(STREAM, "x", 1), ecStorageLockViolation);
	change_sides();
	et_release(STREAM); /* with its locks */
	change_sides();
	ST_OK(put(STREAM, "x", 1));
	ST_IS(et_do(RopLockRegionStream, MESSAGE, 0, &(struct gx_rop_lock_region_stream_req){0}, NULL), ecNotSupported);
	ST_IS(et_do(RopUnlockRegionStream, MESSAGE, 0, &unlock, NULL), ecNotSupported);
	gx_ems_session_put(et_s);
	et_s = second;
}
END_TEST

/* ---- Much ---- */

static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 2654435761U >> 13);
}

static void much(uint64_t total)
{
	uint8_t *p = gx_arena_alloc(et_a, CHUNK);
	uint32_t n;
	ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, NULL));
	ST_OK(open_stream(ATT, STREAM, PidTagAttachDataBinary, 2, NULL));
	for (uint64_t off = 0; off < total; off += CHUNK) {
		size_t some = total - off < CHUNK ? (size_t)(total - off) : CHUNK;
		for (size_t i = 0; i < some; ++i)
			p[i] = byte_at(off + i);
		ST_OK(put(STREAM, p, some));
	}
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &(struct gx_rop_save_changes_attachment_req){2}, NULL));
	uint64_t mid = et_save(MESSAGE), off = 0;
	ST_OK(et_open_message(LOGON, OTHER, mid, 0));
	ST_OK(et_do(RopOpenAttachment, OTHER, ATT, &(struct gx_rop_open_attachment_req){0, 0}, NULL));
	ST_OK(open_stream(ATT, STREAM, PidTagAttachDataBinary, 0, &n));
	ck_assert_uint_eq(n, total);
	while (off < total) {
		struct gx_bin b = take(STREAM, CHUNK);
		ck_assert_uint_gt(b.len, 0);
		for (size_t i = 0; i < b.len; ++i)
			if (b.data[i] != byte_at(off + i))
				ck_abort_msg("byte %llu differs", (unsigned long long)(off + i));
		off += b.len;
	}
	ck_assert_uint_eq(take(STREAM, CHUNK).len, 0);
}

START_TEST(much_of_it)
{
	const char *soak = getenv("GX_SOAK_SECONDS");
	much(soak != NULL ? 100000000 : 3000000);
}
END_TEST

START_TEST(objects_that_are_too_large)
{
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	static const uint8_t zeros[CHUNK];
	struct gx_rop_create_attachment_res *a;
	o.max_object = CHUNK + 5000;
	setup_with(&o);
	ST_OK(open_stream(MESSAGE, STREAM, PidTagBody, 2, NULL));
	ST_OK(put(STREAM, zeros, CHUNK));
	ST_IS(put(STREAM, zeros, CHUNK), ecTooBig);
	ST_IS(et_do(RopSetStreamSize, STREAM, 0, &(struct gx_rop_set_stream_size_req){CHUNK + 5001}, NULL), ecStreamSizeError);
	ST_OK(et_do(RopSetStreamSize, STREAM, 0, &(struct gx_rop_set_stream_size_req){0}, NULL));
	et_release(STREAM);
	/* each of them may be, but not both in one message */
	for (unsigned i = 0; i < 2; ++i) {
		ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, (void **)&a));
		ST_OK(open_stream(ATT, STREAM, PidTagAttachDataBinary, 2, NULL));
		ST_OK(put(STREAM, zeros, CHUNK / 2 + 6000 * i));
		et_release(STREAM);
		ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &(struct gx_rop_save_changes_attachment_req){0}, NULL));
		gx_ec ec = et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){.save_flags = 2}, NULL);
		if (i == 0)
			ST_OK(ec);
		else
			ST_IS(ec, ecTooBig);
	}
	et_teardown();
}
END_TEST

static Suite *emsstream_suite(void)
{
	Suite *s = suite_create("emsstream");
	TCase *t = tcase_create("emsstream");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, written_read_and_saved);
	tcase_add_test(t, closed_without_commit);
	tcase_add_test(t, text);
	tcase_add_test(t, positions);
	tcase_add_test(t, clones_and_copies);
	tcase_add_test(t, other_ways_to_write);
	tcase_add_test(t, folders);
	tcase_add_test(t, regions_locked);
	tcase_add_test(t, much_of_it);
	TCase *own = tcase_create("with options");
	tcase_add_test(own, objects_that_are_too_large);
	suite_add_tcase(s, t);
	suite_add_tcase(s, own);
	return s;
}

GXTEST_MAIN(emsstream_suite)
