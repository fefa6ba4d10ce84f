/* SPDX-License-Identifier: Apache-2.0 */
/* Mail that comes in, and the rules of the folder that it comes into. */
#include <config.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/folder.h>
#include "libgxstore/calls/rules-run.h"

/* [gromox-wire] 2: delivery flags; the others are the caller's. */
enum { DELIVER_RULES = 0x1, DELIVER_NOTIFY = 0x2, DELIVER_JUNK = 0x8 };
enum { DELIVERED = 0, FAILED = 2, FULL_BY_SIZE = 3 };
enum { DIGEST_MOST = 1 << 20, ORIGINAL_MOST = 1 << 30 };

/* ---- The message as it came in ---- */

/* The value of "file" in a digest, which is JSON of one level with names that need no escapes. */
static const char *file_of(struct gx_arena *a, const char *digest)
{
	static const char mark[] = "\"file\":\"";
	const char *at = strnlen(digest, DIGEST_MOST) < DIGEST_MOST ? strstr(digest, mark) : NULL;
	if (at == NULL)
		return NULL;
	at += sizeof(mark) - 1;
	size_t n = strcspn(at, "\"\\");
	return at[n] == '"' && n > 0 ? gx_arena_strndup(a, at, n) : NULL;
}

/* The caller has put it below eml/ before. It is kept only if it can be described to IMAP. */
static void add_original(struct gx_call_ctx *c, const char *digest, struct gx_msg_source *src)
{
	struct gx_x_imapfile_read_req q = {"eml", file_of(c->a, digest)};
	struct gx_x_imapfile_read_ans got;
	if (q.mid == NULL || c->host->o.describe == NULL || gx_ec_failed(gx_call__imapfile_read(c, &q, &got)) || got.content.len == 0) {
		c->why[0] = '\0';
		return;
	}
	if (c->host->o.describe(got.content, c->a, &src->envelope, &src->bodystructure, c->host->o.describe_ctx) == 0)
		src->original = got.content;
	else
		src->envelope = src->bodystructure = (struct gx_bin){0};
}

/* ---- Delivering ---- */

static gx_ec choose_folder(struct gx_call_ctx *c, const struct gx_msgobj *m, uint32_t flags, uint64_t *ret_fid)
{
	struct gx_receive r = {.fid = GX_FID_INBOX};
	if (c->s->is_public)
		return gx_call__fail(c, ecNotSupported, "mail is not delivered into public stores");
	if (flags & DELIVER_JUNK) {
		*ret_fid = GX_FID_JUNK;
		return GX_OK_EC;
	}
	gx_ec ec = gx_receive_get(c->t, gx_proplist_str(&m->props, PidTagMessageClass, "IPM.Note"), c->a, &r);
	*ret_fid = r.fid != 0 ? r.fid : GX_FID_INBOX;
	return ec;
}

struct mail {
	struct gx_msg_prepared *p;
	struct gx_msg_insert_opts o;
	uint8_t id[16];
	uint64_t fid;
	struct gx_msg_ids ids;
};

static gx_ec put(struct gx_call_ctx *c, const struct gx_x_deliver_message_req *req, const struct gx_msgobj *m, struct mail *d)
{
	struct gx_guid g;
	gx_ec ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = choose_folder(c, m, req->dlflags, &d->fid);
	if (!gx_ec_failed(ec) && (req->dlflags & DELIVER_NOTIFY)) {
		/* what has the number of a delivery is new mail */
		ec = gx_call__err(c, gx_guid_random(&g));
		gx_guid_put(&g, d->id);
		d->o.delivery_id = d->id;
	}
	if (!gx_ec_failed(ec))
		ec = gx_msg_insert(c->t, d->fid, d->p, &d->o, &d->ids);
	if (!gx_ec_failed(ec) && (req->dlflags & DELIVER_RULES))
		ec = gx_rules__run(c, &d->fid, &d->ids.mid);
	return ec;
}

static gx_ec deliver(struct gx_call_ctx *c, const struct gx_x_deliver_message_req *req, struct mail *d)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msgobj m;
	gx_ec ec = gx_call__msg_in(c, req->cpid, &req->content, &m);
	if (gx_ec_failed(ec))
		return ec;
	src.obj = &m;
	add_original(c, req->digest, &src);
	int err = gx_msg_prepare(c->a, &src, &d->p);
	return err != 0 ? gx_call__err(c, err) : put(c, req, &m, d);
}

gx_ec gx_call__deliver_message(struct gx_call_ctx *c, const struct gx_x_deliver_message_req *req, struct gx_x_deliver_message_ans *ans)
{
	struct mail d = {.o = GX_MSG_INSERT_OPTS_INIT};
	gx_ec ec = deliver(c, req, &d);
	ec = gx_call__end(c, ec, GX_SYNC_NOW);
	gx_msg_prepared_release(d.p);
	if (gx_ec_is(ec, ecQuotaExceeded)) {
		ans->result = FULL_BY_SIZE;
		return GX_OK_EC;
	}
	if (gx_ec_failed(ec)) {
		c->inner = true;
		ans->result = FAILED;
		return GX_OK_EC;
	}
	ans->folder_id = gx_eid_wire(d.ids.mid != 0 ? d.fid : 0);
	ans->message_id = gx_eid_wire(d.ids.mid);
	ans->result = DELIVERED;
	return GX_OK_EC;
}

gx_ec gx_call__rule_new_message(struct gx_call_ctx *c, const struct gx_x_rule_new_message_req *req)
{
	uint64_t fid, mid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__id(c, req->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_rules__run(c, &fid, &mid);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}
