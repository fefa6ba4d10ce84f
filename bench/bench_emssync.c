/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first download of a mailbox, as Outlook fills its copy of the Inbox: RopSynchronizationConfigure and
 * RopFastTransferSourceGetBuffer until it is done, through gx_ems_execute(). usage: bench_emssync [MESSAGES]
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/emsmdb.h>
#include <gx/entryid.h>
#include <gx/rop.h>
#include <gx/rpcext.h>
#include <gx/syncin.h>
#include "bench/scale.h"

enum { LOGON = 0, FOLDER = 1, SYNC = 2, HANDLES = 3, SERVER_DECIDES = 0xbabe, ONE_BUFFER = 32768, CHAIN = 0x40000 };

static struct gx_arena *keep, *a; /* of the program, of a request */
static struct gx_ems_session *session;
static uint32_t handles[HANDLES] = {GX_ROP_NO_HANDLE, GX_ROP_NO_HANDLE, GX_ROP_NO_HANDLE};

struct sink {
	struct gx_syncin *client; /* NULL: the bytes are counted only */
	uint64_t bytes;
	bool done;
};

/* One request; the answers of all buffers are taken. */
static void ask(uint8_t id, uint8_t h0, uint8_t h1, const void *body, uint32_t flags, size_t max_out, struct sink *sink)
{
	const struct gx_dctx x = {.px = GX_PX_ROP(a, 1252)};
	struct gx_push rops = GX_PUSH_INIT, buffer = GX_PUSH_INIT, ext = GX_PUSH_INIT;
	const struct gx_rop_request q = {gx_rop_rop_desc(id), 0, {h0, h1}, (void *)(uintptr_t)body};
	struct gx_bin in, out, payload;
	struct gx_pull c, answers;
	bool last = false;
	gx_rop_push_request(&rops, &x, &q);
	const struct gx_rop_buffer b = {{rops.data, rops.len}, handles, HANDLES};
	gx_rop_buffer_push(&buffer, &b);
	gx_ext_push(&ext, (struct gx_bin){buffer.data, buffer.len}, GX_EXT_LAST, NULL);
	scale_must(gx_push_finish(&ext, a, &in), "request");
	gx_push_release(&rops);
	gx_push_release(&buffer);
	gx_push_release(&ext);
	scale_need(gx_ems_execute(session, flags | GX_EXECUTE_NO_XOR_MAGIC, in, max_out, a, &out), "execute");
	gx_pull_init(&c, out.data, out.len);
	while (!last) {
		struct gx_rop_buffer got;
		struct gx_rop_response r;
		gx_ext_pull(&c, a, &payload, &last);
		scale_must(c.err != 0 ? c.err : gx_rop_buffer_pull(payload.data, payload.len, a, &got), "answer");
		memcpy(handles, got.handles, sizeof(handles));
		gx_pull_init(&answers, got.rops.data, got.rops.len);
		gx_rop_pull_response_head(&answers, &r);
		gx_rop_pull_response_body(&answers, &x, &r);
		scale_must(answers.err, "answer");
		scale_need(GX_EC(r.return_value), r.desc->name);
		if (sink == NULL)
			continue;
		const struct gx_rop_fast_transfer_source_get_buffer_res *f = r.body;
		sink->bytes += f->transfer_buffer.len;
		sink->done = f->transfer_status == GX_FTX_STATUS_DONE;
		if (sink->client != NULL)
			scale_must(gx_syncin_write(sink->client, f->transfer_buffer.data, f->transfer_buffer.len), "stream");
	}
	gx_arena_reset(a);
}

static int count(const struct gx_syncin_message *m, void *ctx)
{
	(void)m;
	++*(unsigned *)ctx;
	return 0;
}

static void download(const char *what, unsigned messages, size_t max_out, bool parses)
{
	static const struct gx_syncin_ops ops = {.message = count};
	/* contents, Unicode; read states, associated and normal messages, the body as it was written, progress */
	const struct gx_rop_synchronization_configure_req q = {.synchronization_type = 1, .send_options = GX_FTX_SEND_UNICODE,
		.synchronization_flags = 0xa039, .synchronization_extra_flags = 7};
	const struct gx_rop_fast_transfer_source_get_buffer_req get = {SERVER_DECIDES, 0xffff};
	struct gx_syncin_opts o = GX_SYNCIN_OPTS_INIT;
	struct sink s = {0};
	unsigned n = 0, requests = 0;
	if (parses)
		scale_must(gx_syncin_new(&o, &ops, &n, &s.client), "client");
	long before = scale_peak_begin();
	struct meter m = meter_now();
	ask(RopSynchronizationConfigure, FOLDER, SYNC, &q, 0, ONE_BUFFER, NULL);
	for (; !s.done; ++requests)
		ask(RopFastTransferSourceGetBuffer, SYNC, 0, &get, max_out > ONE_BUFFER ? GX_EXECUTE_CHAIN : 0, max_out, &s);
	m = meter_since(m);
	if (parses && n != messages)
		scale_die(what, "not all messages came");
	scale_row(what, m, messages, "\"messages_s\": %.0f, \"mb_s\": %.1f, \"mb\": %.1f, \"requests\": %u, \"peak_kib\": %ld",
		messages / m.wall, (double)s.bytes / 1e6 / m.wall, (double)s.bytes / 1e6, requests, scale_peak(before));
	gx_syncin_free(s.client);
}

/* A domain, a user and his store with messages. */
static const char *make_mailbox(const char *dir, unsigned messages)
{
	const char *maildir = gx_arena_printf(keep, "%s/box", dir);
	scale_create(maildir);
	struct gx_store *s = scale_open(maildir, SCALE_NO_INDEX);
	for (unsigned i = 0; i < messages; i += 1000)
		(void)scale_fill(s, GX_FID_INBOX, i, messages - i < 1000 ? messages - i : 1000, 1000, GX_SYNC_LATER, 0, NULL);
	gx_store_close(s);
	return maildir;
}

static struct gx_dir *make_people(const char *dir, const char *maildir, const char **ret_dn)
{
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_user_new u = GX_USER_NEW_INIT;
	struct gx_user user;
	struct gx_dir *people;
	const char *why = "";
	uint32_t id;
	d.path = gx_arena_printf(keep, "%s/people", dir);
	scale_must(gx_dir_create(d.path, keep, &why), "directory");
	scale_must(gx_dir_open(&d, &people, keep, &why), "directory");
	scale_must(gx_dir_add_domain(people, "example.org", "", 9, &id), "domain");
	u.username = "ann@example.org";
	u.password = "x";
	u.maildir = maildir;
	scale_must(gx_dir_add_user(people, &u, &id), "user");
	scale_must(gx_dir_user(people, u.username, keep, &user), "user");
	*ret_dn = gx_dn_of_user(keep, "o", &user);
	return people;
}

static void connect_as(struct gx_ems *e, const char *dn)
{
	struct gx_ems_connect c = GX_EMS_CONNECT_INIT;
	struct gx_ems_connected r;
	const struct gx_rop_logon_req q = {.logon_flags = 1, .essdn = dn};
	const struct gx_rop_open_folder_req f = {gx_eid_wire(GX_FID_INBOX), 0};
	c.user = "ann@example.org";
	c.user_dn = dn;
	c.code_page = 1252;
	c.client_version[0] = 16;
	c.client_version[1] = 20000;
	scale_need(gx_ems_session_new(e, &c, keep, &session, &r), "connect");
	ask(RopLogon, LOGON, 0, &q, 0, ONE_BUFFER, NULL);
	ask(RopOpenFolder, LOGON, FOLDER, &f, 0, ONE_BUFFER, NULL);
}

int main(int argc, char **argv)
{
	struct gx_store_pool_opts p = GX_STORE_POOL_OPTS_INIT;
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	struct gx_ems *e;
	const char *unused, *dn;
	char dir[600];
	unsigned n = 10000;
	scale_args(argc, argv, "emssync", &n, &unused);
	keep = gx_arena_new(0);
	a = gx_arena_new(0);
	scale_tmp(dir, NULL);
	const char *maildir = make_mailbox(dir, n);
	o.dir = make_people(dir, maildir, &dn);
	p.max_open = 10;
	o.pool = gx_store_pool_new(&p);
	o.org_name = "o";
	o.rop_chaining = 2;
	scale_must(gx_ems_new(&o, &e), "service");
	connect_as(e, dn);
	download("first download, cold", n, ONE_BUFFER, false);
	download("first download", n, ONE_BUFFER, false);
	download("in chains of buffers", n, CHAIN, false);
	download("with the client's half", n, CHAIN, true);
	gx_ems_session_put(session);
	gx_ems_free(e);
	gx_store_pool_free(o.pool);
	gx_dir_close(o.dir);
	gx_arena_free(a);
	gx_arena_free(keep);
	scale_remove(dir);
	return 0;
}
