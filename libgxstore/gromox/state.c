/* SPDX-License-Identifier: Apache-2.0 */
/* The conversion's memory, kept in the store that it makes: how far it is, and what it found. */
#include <config.h>
#include "libgxstore/gromox/conv-int.h"

#define KEY "storeconv"
#define STATE_VERSION 1

/* The numbers of the state in the order in which they are written. */
static void numbers(struct gx_conv_state *s, uint64_t *v[12])
{
	uint64_t *const all[12] = {&s->last_id, &s->last_cn, &s->after, &s->recovered, &s->folders, &s->messages,
		&s->associated, &s->deleted, &s->attachments, &s->originals, &s->bytes, &s->findings};
	for (int i = 0; i < 12; i++)
		v[i] = all[i];
}

int gx_conv__save(struct gx_conv *c)
{
	struct gx_push out = GX_PUSH_INIT;
	uint64_t *v[12];
	numbers(&c->st, v);
	gx_push_u8(&out, STATE_VERSION);
	gx_push_guid(&out, &c->st.source);
	gx_push_u32(&out, c->st.stage);
	gx_push_u32(&out, c->st.folder);
	gx_push_u32(&out, c->st.phase);
	for (int i = 0; i < 12; i++)
		gx_push_u64(&out, *v[i]);
	int err = out.err != 0 ? out.err : gx_meta__set_blob(c->t->q, KEY, out.data, out.len);
	gx_push_release(&out);
	return err;
}

int gx_conv__load(struct gx_conv *c, bool *ret_found)
{
	struct gx_bin b;
	struct gx_pull p;
	uint64_t *v[12];
	int err = gx_meta__get_blob(c->t->q, KEY, c->run, &b);
	*ret_found = err == 0;
	if (err != 0)
		return err == GX_E_NOTFOUND ? 0 : err;
	numbers(&c->st, v);
	gx_pull_init(&p, b.data, b.len);
	if (gx_pull_u8(&p) != STATE_VERSION)
		gx_pull_fail(&p, GX_E_FORMAT);
	c->st.source = gx_pull_guid(&p);
	c->st.stage = gx_pull_u32(&p);
	c->st.folder = gx_pull_u32(&p);
	c->st.phase = gx_pull_u32(&p);
	for (int i = 0; i < 12; i++)
		*v[i] = gx_pull_u64(&p);
	if (p.err == 0 && p.left == 0 && c->st.stage >= GX_CONV_STAGE_STORE && c->st.stage <= GX_CONV_STAGE_DONE)
		return 0;
	return gx_conv__fail(c, GX_E_FORMAT, "%s: what an earlier run has noted there cannot be read; begin anew",
		c->s->dir);
}

/* ---- Findings ---- */

int gx_conv__make_findings(struct gx_conv *c)
{
	return gx_sql__exec(c->t->q, "CREATE TABLE IF NOT EXISTS storeconv(id INTEGER PRIMARY KEY, kind INTEGER,"
		" object TEXT, file TEXT, text TEXT)");
}

int gx_conv__add_finding(struct gx_conv *c, const struct gx_storeconv_finding *f)
{
	GX_STMT(st, c->t->q, "INSERT INTO storeconv(kind,object,file,text) VALUES(?1,?2,?3,?4)");
	gx_sql__bind_int(st, 1, f->kind);
	gx_sql__bind_text(st, 2, f->object);
	gx_sql__bind_text(st, 3, f->file);
	gx_sql__bind_text(st, 4, f->text);
	return gx_sql__run(st);
}

int gx_conv__tell_findings(struct gx_conv *c)
{
	if (c->o->report == NULL)
		return 0;
	GX_STMT(st, c->t->q, "SELECT kind,object,file,text FROM storeconv ORDER BY id");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_storeconv_finding f = {.kind = (int)gx_sql__int(st, 0), .object = gx_sql__text(st, 1),
			.file = gx_sql__is_null(st, 2) ? NULL : gx_sql__text(st, 2), .text = gx_sql__text(st, 3)};
		c->o->report(&f, c->o->ctx);
	}
	return r;
}

int gx_conv__forget(struct gx_conv *c)
{
	int err = gx_sql__exec(c->t->q, "DROP TABLE IF EXISTS storeconv");
	return err != 0 ? err : gx_sql__exec(c->t->q, "DELETE FROM meta WHERE key='" KEY "'");
}
