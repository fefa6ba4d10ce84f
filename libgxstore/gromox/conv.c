/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a conversion: stages, transactions, findings. */
#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxstore/gromox/conv-int.h"

#define BATCH 500U
#define BATCH_BYTES ((uint64_t)64 << 20)

const char *gx_storeconv_kind(int kind)
{
	static const char *const name[] = {
		[GX_CONV_CONTENT] = "content", [GX_CONV_ORIGINAL] = "original", [GX_CONV_VALUE] = "value",
		[GX_CONV_TEXT] = "text", [GX_CONV_NAME] = "name", [GX_CONV_FOLDER] = "folder",
		[GX_CONV_MESSAGE] = "message", [GX_CONV_RIGHTS] = "rights",
		[GX_CONV_RULE] = "rule", [GX_CONV_SEARCH] = "search", [GX_CONV_IMAP] = "imap", [GX_CONV_SETTING] = "setting",
		[GX_CONV_DATABASE] = "database",
	};
	return kind > 0 && (size_t)kind < sizeof(name) / sizeof(name[0]) ? name[kind] : "finding";
}

/* ---- Errors ---- */

int gx_conv__fail(struct gx_conv *c, int err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return err;
}

int gx_conv__ec(struct gx_conv *c, gx_ec ec)
{
	if (!gx_ec_failed(ec))
		return 0;
	const char *why = gx_txn_why(c->t);
	return gx_conv__fail(c, gx_ec_to_err(ec), "%s: %s%s%s", c->g->notes.object, gx_ec_text(ec),
		*why == '\0' ? "" : ": ", why);
}

int gx_conv__err(struct gx_conv *c, int err)
{
	if (err == 0 || c->why[0] != '\0')
		return err;
	if (c->t != NULL && c->t->q->err == err)
		return gx_conv__fail(c, err, "%s", c->t->q->why);
	if (c->g->q->err == err)
		return gx_conv__fail(c, err, "%s", c->g->q->why);
	if (c->g->midb != NULL && c->g->midb->err == err)
		return gx_conv__fail(c, err, "%s", c->g->midb->why);
	return gx_conv__fail(c, err, "%s: %s", c->g->notes.object[0] == '\0' ? c->g->dir : c->g->notes.object,
		gx_strerror(err));
}

/* ---- Findings: told when the transaction that knows them is committed ---- */

static int on_note(int kind, const char *object, const char *file, const char *text, void *ctx)
{
	struct gx_conv *c = ctx;
	struct gx_conv_pending *p = gx_arena_new_obj(c->batch, struct gx_conv_pending);
	if (p == NULL)
		return GX_E_NOMEM;
	p->f = (struct gx_storeconv_finding){.kind = kind, .object = gx_arena_strdup(c->batch, object),
		.file = gx_arena_strdup(c->batch, file), .text = gx_arena_strdup(c->batch, text)};
	if (p->f.object == NULL || p->f.text == NULL || (file != NULL && p->f.file == NULL))
		return GX_E_NOMEM;
	*c->pending_tail = p;
	c->pending_tail = &p->next;
	c->st.findings++;
	return gx_conv__add_finding(c, &p->f);
}

int gx_conv__note(struct gx_conv *c, int kind, const char *file, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return on_note(kind, c->g->notes.object, file, text, c);
}

static void forget_pending(struct gx_conv *c)
{
	c->pending = NULL;
	c->pending_tail = &c->pending;
	gx_arena_reset(c->batch);
}

/* ---- Transactions ---- */

int gx_conv__begin(struct gx_conv *c)
{
	c->in_batch = 0;
	c->batch_bytes = 0;
	return gx_txn__system(c->s, GX_TXN_WRITE, 60000, &c->t);
}

int gx_conv__progress(struct gx_conv *c)
{
	uint64_t done = c->st.messages + c->st.associated + c->st.deleted, total = c->g->info.messages;
	if (c->o->progress == NULL || c->o->progress((int)c->st.stage, done, total, c->o->ctx) == 0)
		return 0;
	return gx_conv__fail(c, GX_E_TIMEOUT, "interrupted; started again, the conversion goes on where it was");
}

int gx_conv__commit(struct gx_conv *c)
{
	struct gx_txn *t = c->t;
	int err = gx_conv__save(c);
	if (err != 0)
		return gx_conv__err(c, err);
	c->t = NULL;
	err = gx_txn_commit(t, GX_SYNC_LATER);
	if (err != 0)
		return gx_conv__fail(c, err, "%s: commit: %s", c->work, gx_strerror(err));
	for (const struct gx_conv_pending *p = c->pending; p != NULL && c->o->report != NULL; p = p->next)
		c->o->report(&p->f, c->o->ctx);
	forget_pending(c);
	return gx_conv__progress(c);
}

int gx_conv__step(struct gx_conv *c)
{
	c->in_batch++;
	if (c->in_batch < (c->o->batch == 0 ? BATCH : c->o->batch) && c->batch_bytes < BATCH_BYTES)
		return 0;
	int err = gx_conv__commit(c);
	return err != 0 ? err : gx_conv__begin(c);
}

/* ---- Stages ---- */

static int (*const stages[])(struct gx_conv *c) = {
	[GX_CONV_STAGE_STORE] = gx_conv__store, [GX_CONV_STAGE_FOLDERS] = gx_conv__folders,
	[GX_CONV_STAGE_MESSAGES] = gx_conv__messages, [GX_CONV_STAGE_REST] = gx_conv__rest,
};

static int run_stages(struct gx_conv *c)
{
	while (c->st.stage < GX_CONV_STAGE_DONE) {
		int err = gx_conv__begin(c);
		if (err == 0)
			err = stages[c->st.stage](c);
		if (err != 0)
			return gx_conv__err(c, err);
		c->st.stage++;
		err = gx_conv__commit(c);
		if (err != 0)
			return err;
	}
	return 0;
}

/* Where an earlier run stopped, or the beginning. */
static int take_up(struct gx_conv *c)
{
	const struct gx_gromox_info *i = &c->g->info;
	int err = gx_conv__begin(c);
	if (err == 0)
		err = gx_conv__load(c, &c->resumed);
	if (err != 0)
		return gx_conv__err(c, err);
	bool same = c->st.last_id == i->last_id && c->st.last_cn == i->last_cn &&
		gx_guid_cmp(&c->st.source, &i->mailbox) == 0;
	if (c->resumed && !same)
		return gx_conv__fail(c, GX_E_EXISTS, 
			"%s: was begun from another mailbox, or the mailbox has changed since; begin anew", c->work);
	if (c->resumed) {
		err = gx_conv__tell_findings(c);
	} else {
		c->st = (struct gx_conv_state){.source = i->mailbox, .last_id = i->last_id, .last_cn = i->last_cn,
			.stage = GX_CONV_STAGE_STORE};
		err = gx_conv__make_findings(c);
	}
	/* What was found about names and the tree of folders is told once. */
	c->g->notes.cb = c->resumed ? NULL : on_note;
	if (err == 0)
		err = gx_conv__names(c);
	if (err == 0)
		err = gx_gromox__folders(c->g, GX_FID_IPMSUBTREE, c->run, &c->folders, &c->folder_count);
	c->g->notes.cb = on_note;
	if (err == 0 && c->resumed)
		err = gx_conv__restore_uids(c);
	return err != 0 ? gx_conv__err(c, err) : gx_conv__commit(c);
}

static int convert(struct gx_conv *c)
{
	int err = gx_conv__open_work(c);
	if (err == 0)
		err = take_up(c);
	if (err == 0)
		err = run_stages(c);
	if (err == 0)
		err = gx_conv__err(c, gx_conv__run_searches(c));
	if (err == 0)
		err = gx_store_sync(c->s) != 0 ? gx_conv__fail(c, GX_E_IO, "%s: cannot be flushed to the disk", c->work) : 0;
	gx_txn_abort(c->t);
	c->t = NULL;
	gx_store_close(c->s);
	c->s = NULL;
	return err != 0 ? err : gx_conv__place(c);
}

/* In place, perhaps by a run that did not get to its end. */
static int finish(struct gx_conv *c)
{
	int err = gx_conv__open_store(c, c->dest);
	if (err == 0)
		err = gx_conv__begin(c);
	if (err == 0 && c->st.stage == 0) {
		err = gx_conv__load(c, &c->resumed);
		if (err == 0)
			err = gx_conv__tell_findings(c);
	}
	if (err == 0)
		err = gx_conv__forget(c);
	if (err != 0)
		return gx_conv__err(c, err);
	struct gx_txn *t = c->t;
	c->t = NULL;
	return gx_txn_commit(t, GX_SYNC_NOW);
}

/* A user's mailbox and the public folders of a domain do not go into each other's place. */
static int check_kind(struct gx_conv *c)
{
	bool public = c->g->info.is_public;
	if (c->o->kind == GX_CONV_ANY || (c->o->kind == GX_CONV_PUBLIC) == public)
		return 0;
	return gx_conv__fail(c, GX_E_INVAL, "%s: is %s; it cannot become %s", c->g->dir,
		public ? "a public store" : "a user's mailbox",
		public ? "a user's mailbox" : "a public store");
}

static char *trimmed(const char *path)
{
	char *p = strdup(path);
	for (size_t n = p == NULL ? 0 : strlen(p); n > 1 && p[n - 1] == '/'; n--)
		p[n - 1] = '\0';
	return p;
}

/* A mailbox that is replaced by its own store may have been moved already, by a run that ended right then. */
static int open_source(struct gx_conv *c)
{
	int err = gx_gromox__open(c->o->source, c->o->log, &c->g, c->why, sizeof(c->why));
	char *old = err == GX_E_NOTFOUND && c->o->replace ? trimmed(c->o->source) : NULL;
	if (old != NULL && strcmp(old, c->dest) == 0 && access(c->work, F_OK) == 0) {
		const char *moved = gx_arena_printf(c->run, "%s.old", old);
		char why[512];
		if (moved != NULL && gx_gromox__open(moved, c->o->log, &c->g, why, sizeof(why)) == 0) {
			c->why[0] = '\0';
			err = 0;
		}
	}
	free(old);
	return err;
}

static int run(struct gx_conv *c)
{
	bool finished = false;
	int err = open_source(c);
	if (err == 0)
		err = check_kind(c);
	if (err != 0)
		return err;
	c->g->notes.ctx = c;
	c->g->map = c->map;
	err = gx_conv__check_dest(c, &finished);
	if (err == 0 && !finished)
		err = convert(c);
	return err != 0 ? err : finish(c);
}

static int set_up(struct gx_conv *c)
{
	c->pending_tail = &c->pending;
	c->dest = trimmed(c->o->dest);
	c->run = gx_arena_new(0);
	c->item = gx_arena_new(0);
	c->batch = gx_arena_new(0);
	c->map = calloc(1, sizeof(*c->map));
	c->prep = gx_prepare_ctx_new();
	size_t n = c->dest == NULL ? 0 : strlen(c->dest) + 16;
	c->work = n == 0 ? NULL : malloc(n);
	if (c->work == NULL || c->run == NULL || c->item == NULL || c->batch == NULL || c->map == NULL || c->prep == NULL)
		return GX_E_NOMEM;
	snprintf(c->work, n, "%s.storeconv", c->dest);
	return 0;
}

static void tear_down(struct gx_conv *c)
{
	gx_txn_abort(c->t);
	gx_store_close(c->s);
	gx_gromox__close(c->g);
	gx_prepare_ctx_free(c->prep);
	gx_arena_free(c->batch);
	gx_arena_free(c->item);
	gx_arena_free(c->run);
	free(c->map);
	free(c->work);
	free(c->dest);
}

static void fill(const struct gx_conv *c, struct gx_storeconv_result *r)
{
	const struct gx_conv_state *s = &c->st;
	if (c->g != NULL) {
		r->version = c->g->info.version;
		r->public_store = c->g->info.is_public;
	}
	r->resumed = c->resumed;
	r->folders = s->folders;
	r->messages = s->messages;
	r->associated = s->associated;
	r->deleted = s->deleted;
	r->attachments = s->attachments;
	r->originals = s->originals;
	r->bytes = s->bytes;
	r->findings = s->findings;
}

int gx_storeconv_run(const struct gx_storeconv_opts *o, struct gx_storeconv_result *ret_r, struct gx_arena *a,
	const char **ret_why)
{
	struct gx_conv c = {.o = o};
	if (o == NULL || o->size < sizeof(*o) || o->source == NULL || o->dest == NULL || *o->dest == '\0')
		return GX_E_INVAL;
	int err = set_up(&c);
	if (err == 0)
		err = run(&c);
	if (ret_r != NULL)
		fill(&c, ret_r);
	if (err != 0)
		gx_store__why(a, ret_why, "%s", c.why[0] == '\0' ? gx_strerror(err) : c.why);
	tear_down(&c);
	return err;
}
