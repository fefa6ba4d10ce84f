/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory with users and stores, a session, and operations sent to it one by one or several at once: by calls, or with
 * GX_TEST_HTTPS set over HTTPS.
 */
#ifndef GX_EMSTEST_H
#define GX_EMSTEST_H
#include <gx/entryid.h>
#include "libgxstore/storetest.h"
#include "libgxproto/emsmdb/emshttps.h"
#include "libgxproto/emsmdb/emsmdb-int.h"

enum { ET_HANDLES = 16, ET_PROGRESS = 0x20000000 /* SUPPORT_PROGRESS, as Outlook says it */ };

static struct gx_arena *et_a;
static char *et_dir;
static struct gx_dir *et_people;
static struct gx_store_pool *et_pool;
static struct gx_ems *et_ems;
static struct gx_ems_session *et_s;      /* of ann */
static const char *et_dn[2];             /* of ann and bob */
/* The client's side: the table of handles, and the last answer. */
static uint32_t et_handles[ET_HANDLES];
static struct gx_columns et_columns;
static struct gx_dctx et_x;
static struct gx_push et_out;

static inline const char *et_store(const char *name, bool public_store, uint32_t id)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	const char *why = "", *dir = gx_arena_printf(et_a, "%s/%s", et_dir, name);
	o.owner_id = id;
	o.owner = name;
	o.public_store = public_store;
	ck_assert_msg(gx_store_create(dir, &o, et_a, &why) == 0, "%s", why);
	return dir;
}

static inline void et_user(const char *name, const char **ret_dn)
{
	struct gx_user_new n = GX_USER_NEW_INIT;
	struct gx_user u;
	uint32_t id;
	n.username = gx_arena_printf(et_a, "%s@example.org", name);
	n.password = "x";
	n.maildir = et_store(name, false, *name);
	ck_assert_int_eq(gx_dir_add_user(et_people, &n, &id), 0);
	ck_assert_int_eq(gx_dir_user(et_people, n.username, et_a, &u), 0);
	*ret_dn = gx_dn_of_user(et_a, "o", &u);
}

static inline struct gx_ems_session *et_connect(const char *user, const char *dn)
{
	struct gx_ems_connect c = GX_EMS_CONNECT_INIT;
	struct gx_ems_connected r;
	struct gx_ems_session *s = NULL;
	if (eh.server.net != NULL)
		return eh_connect(et_a, user, dn);
	c.user = user;
	c.user_dn = dn;
	c.code_page = 1252;
	ST_OK(gx_ems_session_new(et_ems, &c, et_a, &s, &r));
	return s;
}

static inline void et_setup_with(const struct gx_ems_opts *given)
{
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_store_pool_opts p = GX_STORE_POOL_OPTS_INIT;
	struct gx_ems_opts e = given != NULL ? *given : (struct gx_ems_opts)GX_EMS_OPTS_INIT;
	const char *why = "";
	uint32_t id;
	et_a = gx_arena_new(0);
	et_dir = strdup(st_dir());
	d.path = gx_arena_printf(et_a, "%s/people", et_dir);
	ck_assert_msg(gx_dir_create(d.path, et_a, &why) == 0, "%s", why);
	ck_assert_msg(gx_dir_open(&d, &et_people, et_a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_dir_add_domain(et_people, "example.org", et_store("public", true, 1), 9, &id), 0);
	et_user("ann", &et_dn[0]);
	et_user("bob", &et_dn[1]);
	p.max_open = 10;
	et_pool = gx_store_pool_new(&p);
	e.pool = et_pool;
	e.dir = et_people;
	ck_assert_int_eq(gx_ems_new(&e, &et_ems), 0);
	if (eh_wanted())
		eh_start(et_a, et_dir, et_people, et_ems);
	et_s = et_connect("ann@example.org", et_dn[0]);
	memset(et_handles, 0xff, sizeof(et_handles));
	et_x = (struct gx_dctx){.px = GX_PX_ROP(et_a, 1252), .custom = &et_columns};
}

static inline void et_setup(void)
{
	et_setup_with(NULL);
}

/* As another process that has the same stores. Not over HTTPS. */
static inline void et_again(const struct gx_ems_opts *given)
{
	struct gx_ems_opts o = *given;
	gx_ems_session_put(et_s);
	gx_ems_free(et_ems);
	o.pool = et_pool;
	o.dir = et_people;
	ck_assert_int_eq(gx_ems_new(&o, &et_ems), 0);
	et_s = et_connect("ann@example.org", et_dn[0]);
	memset(et_handles, 0xff, sizeof(et_handles));
}

static inline void et_teardown(void)
{
	eh_stop();
	gx_push_release(&et_out);
	gx_ems_session_put(et_s);
	gx_ems_free(et_ems);
	gx_store_pool_free(et_pool);
	gx_dir_close(et_people);
	st_rmtree(et_dir);
	free(et_dir);
	gx_arena_free(et_a);
}

/* Adds a request to those that et_send() sends, of a logon with that number; one with an odd number is to a public store. */
static inline void et_add_at(uint8_t logon, uint8_t id, uint8_t h0, uint8_t h1, const void *body)
{
	struct gx_rop_request q = {gx_rop_rop_desc(id), logon, {h0, h1}, (void *)body};
	struct gx_dctx x = et_x;
	if (logon & 1)
		x.var[GX_CTX_ROP_PUBLIC_LOGON] = true;
	gx_rop_push_request(&et_out, &x, &q);
	ck_assert_int_eq(et_out.err, 0);
}

static inline void et_add(uint8_t id, uint8_t h0, uint8_t h1, const void *body)
{
	et_add_at(0, id, h0, h1, body);
}

/* With GX_TEST_RECORD: what is sent becomes an input of fuzz_emsmdb, a file for each test in that directory. */
static inline void et_record(const struct gx_ems_session *s, uint32_t flags, size_t max_out)
{
	static FILE *f;
	const char *dir = getenv("GX_TEST_RECORD");
	if (dir == NULL)
		return;
	if (f == NULL)
		f = fopen(gx_arena_printf(et_a, "%s/%d", dir, (int)getpid()), "w");
	const uint8_t head[] = {(uint8_t)(flags | (max_out < 1000 ? 0x08U : 0) | (*s->user == 'b' ? 0x10U : 0)), (uint8_t)et_out.len,
		(uint8_t)(et_out.len >> 8)};
	ck_assert_ptr_nonnull(f);
	(void)!fwrite(head, 1, sizeof(head), f);
	(void)!fwrite(et_out.data, 1, et_out.len, f);
	fflush(f);
}

/* Sends what et_add() has added; @ret_out is the answer as it comes. */
static inline gx_ec et_execute(struct gx_ems_session *s, uint32_t flags, size_t max_out, struct gx_bin *ret_out)
{
	struct gx_push buffer = GX_PUSH_INIT, ext = GX_PUSH_INIT;
	const struct gx_rop_buffer b = {{et_out.data, et_out.len}, et_handles, ET_HANDLES};
	struct gx_bin in;
	et_record(s, flags, max_out);
	gx_rop_buffer_push(&buffer, &b);
	gx_ext_push(&ext, (struct gx_bin){buffer.data, buffer.len}, GX_EXT_LAST | GX_EXT_XOR_MAGIC, NULL);
	ck_assert_int_eq(gx_push_finish(&ext, et_a, &in), 0);
	gx_push_release(&buffer);
	gx_push_release(&ext);
	gx_push_clear(&et_out);
	gx_ec ec = eh_execute(s, flags, in, max_out, et_a, ret_out);
	if (!gx_ec_failed(ec))
		ck_assert_uint_le(ret_out->len, max_out);
	return ec;
}

static inline gx_ec et_send_to(struct gx_ems_session *s, uint32_t flags, size_t max_out, struct gx_pull *ret_answers)
{
	struct gx_rop_buffer b;
	struct gx_bin out, payload;
	struct gx_pull c;
	bool last;
	gx_ec ec = et_execute(s, flags, max_out, &out);
	if (gx_ec_failed(ec))
		return ec;
	gx_pull_init(&c, out.data, out.len);
	gx_ext_pull(&c, et_a, &payload, &last);
	ck_assert_int_eq(c.err, 0);
	ck_assert(last);
	ck_assert_int_eq(gx_rop_buffer_pull(payload.data, payload.len, et_a, &b), 0);
	ck_assert_uint_eq(b.handle_count, ET_HANDLES);
	memcpy(et_handles, b.handles, sizeof(et_handles));
	gx_pull_init(ret_answers, b.rops.data, b.rops.len);
	return ec;
}

/* The next answer, which must be of that operation. */
static inline gx_ec et_answer(struct gx_pull *c, uint8_t id, void **ret_body)
{
	struct gx_rop_response r;
	gx_rop_pull_response_head(c, &r);
	ck_assert_int_eq(c->err, 0);
	ck_assert_msg(r.desc->id == id, "%s came", r.desc->name);
	gx_rop_pull_response_body(c, &et_x, &r);
	ck_assert_int_eq(c->err, 0);
	if (ret_body != NULL)
		*ret_body = r.body;
	return GX_EC(r.return_value);
}

/* One operation: asked, answered. */
static inline gx_ec et_do_at(uint8_t logon, uint8_t id, uint8_t h0, uint8_t h1, const void *body, void **ret_body)
{
	struct gx_pull c;
	et_add_at(logon, id, h0, h1, body);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	gx_ec ec = et_answer(&c, id, ret_body);
	ck_assert_uint_eq(c.left, 0);
	return ec;
}

static inline gx_ec et_do(uint8_t id, uint8_t h0, uint8_t h1, const void *body, void **ret_body)
{
	return et_do_at(0, id, h0, h1, body, ret_body);
}

/* A folder of the public store that ann has @rights in, open as @folder of logon 1, whose handle goes to @logon. */
static inline uint64_t et_open_shared(uint8_t logon, uint8_t folder, uint32_t rights)
{
	struct gx_store *s;
	const char *why;
	uint64_t fid = 0;
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/public", et_dir), &s, et_a, &why), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_PUB_IPMSUBTREE, "shared", "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_set_permission(t, fid, "ann@example.org", rights, false));
	ST_OK(gx_folder_set_permission(t, GX_FID_PUB_IPMSUBTREE, "ann@example.org", GX_RIGHT_VISIBLE | GX_RIGHT_READ, false));
	st_commit(t);
	gx_store_pool_put(et_pool, s);
	ST_OK(et_do_at(1, RopLogon, logon, 0, &(struct gx_rop_logon_req){.open_flags = ET_PROGRESS | 2}, NULL));
	ST_OK(et_do_at(1, RopOpenFolder, logon, folder, &(struct gx_rop_open_folder_req){gx_eid_make(1, fid), 0}, NULL));
	return fid;
}

/* Logs on to ann's mailbox, or another; the handle goes to place 0. */
static inline void et_logon(const char *dn)
{
	const struct gx_rop_logon_req q = {.logon_flags = 1, .open_flags = ET_PROGRESS, .essdn = dn};
	ST_OK(et_do(RopLogon, 0, 0, &q, NULL));
}

static inline gx_ec et_get_at(uint8_t logon, uint8_t h, const gx_proptag_t *v, uint32_t n, struct gx_rop_get_properties_specific_res **ret_r)
{
	const struct gx_rop_get_properties_specific_req q = {.want_unicode = true, .property_tags = v, .property_tags_count = n};
	et_columns = (struct gx_columns){v, n};
	return et_do_at(logon, RopGetPropertiesSpecific, h, 0, &q, (void **)ret_r);
}

static inline gx_ec et_get(uint8_t h, const gx_proptag_t *v, uint32_t n, struct gx_rop_get_properties_specific_res **ret_r)
{
	return et_get_at(0, h, v, n, ret_r);
}

/* One value; its tag has PtypErrorCode when it is not there. */
static inline const struct gx_propval *et_value_at(uint8_t logon, uint8_t h, gx_proptag_t tag)
{
	struct gx_rop_get_properties_specific_res *r;
	gx_proptag_t *v = gx_arena_memdup(et_a, &tag, sizeof(tag));
	ST_OK(et_get_at(logon, h, v, 1, &r));
	return &r->row_data.v[0];
}

static inline const struct gx_propval *et_value(uint8_t h, gx_proptag_t tag)
{
	return et_value_at(0, h, tag);
}

static inline struct gx_rop_set_properties_res *et_set(uint8_t h, const struct gx_proplist *l)
{
	struct gx_rop_set_properties_res *r;
	const struct gx_rop_set_properties_req q = {*l};
	ST_OK(et_do(RopSetProperties, h, 0, &q, (void **)&r));
	return r;
}

/* A text of it, and no problems. */
static inline void et_set_str(uint8_t h, gx_proptag_t tag, const char *s)
{
	struct gx_propval v = {tag, {.str = s}};
	const struct gx_proplist l = {&v, 1, 1};
	ck_assert_uint_eq(et_set(h, &l)->property_problems_count, 0);
}

/* A new message in the folder of ann's mailbox, not saved yet. */
static inline void et_new_message(uint8_t logon, uint8_t h, uint64_t fid)
{
	ST_OK(et_do(RopCreateMessage, logon, h, &(struct gx_rop_create_message_req){.code_page_id = 1252, .folder_id = gx_eid_make(1, fid)}, NULL));
}

static inline gx_ec et_open_message(uint8_t logon, uint8_t h, uint64_t mid, uint8_t mode)
{
	return et_do(RopOpenMessage, logon, h, &(struct gx_rop_open_message_req){.code_page_id = 1252, .open_mode_flags = mode, .message_id = mid}, NULL);
}

/* Saves the message, which stays open to be changed; its id. */
static inline uint64_t et_save(uint8_t h)
{
	struct gx_rop_save_changes_message_res *s;
	ST_OK(et_do(RopSaveChangesMessage, h, h, &(struct gx_rop_save_changes_message_req){2}, (void **)&s));
	return s->message_id;
}

static inline void et_release(uint8_t h)
{
	struct gx_pull c;
	et_add(RopRelease, h, 0, NULL);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	ck_assert_uint_eq(c.left, 0);
}

#endif
