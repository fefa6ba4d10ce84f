/* SPDX-License-Identifier: Apache-2.0 */
/* What a command tells while it runs, put together for the caller. */
#include <config.h>
#include <stdarg.h>
#include <string.h>
#include "libgxproto/mbop/mbop-int.h"

bool gx_mbop__fail(struct gx_mbop_job *j, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *why = gx_arena_vprintf(j->a, fmt, ap);
	va_end(ap);
	j->why = why != NULL ? why : "out of memory";
	return false;
}

bool gx_mbop__nomem(struct gx_mbop_job *j)
{
	j->why = "out of memory";
	return false;
}

/* What an administrator can do about it, where the code alone tells. */
static const char *remedy(gx_ec ec)
{
	switch (ec.v) {
	case ecServerPaused:
		return " (it is frozen; the command thaw ends that)";
	case ecRpcFailed:
		return " (whether the call was carried out is not known)";
	default:
		return "";
	}
}

bool gx_mbop__ok(struct gx_mbop_job *j, const char *call, gx_ec ec, const char *why)
{
	j->ec = ec;
	if (!gx_ec_failed(ec))
		return true;
	if (gx_ec_is(ec, ecMAPIOOM))
		return gx_mbop__nomem(j);
	return gx_mbop__fail(j, "%s: %s%s", call, why != NULL && *why != '\0' ? why : gx_ec_text(ec), remedy(ec));
}

void gx_mbop__say(struct gx_mbop_job *j, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *s = gx_arena_vprintf(j->a, fmt, ap);
	va_end(ap);
	if (j->text.len > 0)
		gx_strbuf_addc(&j->text, '\n');
	gx_strbuf_adds(&j->text, s != NULL ? s : "out of memory");
}

static void field(struct gx_mbop_job *j, const struct gx_mbop_field *f)
{
	if (j->nrows == 0) {
		gx_mbop__row(j);
		j->r.list = false;
	}
	if (j->nrows == 0)
		return;
	struct gx_mbop_field **row = &j->rows[j->nrows - 1];
	struct gx_mbop_field *v = gx_arena_grow(j->a, *row, &j->fields_cap, j->nfields + 2, sizeof(*v));
	if (v == NULL)
		return;
	v[j->nfields++] = *f;
	v[j->nfields] = (struct gx_mbop_field){.name = NULL};
	*row = v;
}

void gx_mbop__num(struct gx_mbop_job *j, const char *name, uint64_t n)
{
	field(j, &(struct gx_mbop_field){.name = name, .number = n});
}

void gx_mbop__text(struct gx_mbop_job *j, const char *name, const char *text)
{
	const char *copy = gx_arena_strdup(j->a, text);
	if (copy != NULL)
		field(j, &(struct gx_mbop_field){.name = name, .text = copy});
}

void gx_mbop__row(struct gx_mbop_job *j)
{
	j->r.list = true;
	struct gx_mbop_field *empty = gx_arena_new_obj(j->a, struct gx_mbop_field);
	struct gx_mbop_field **v = gx_arena_grow(j->a, j->rows, &j->rows_cap, j->nrows + 1, sizeof(*v));
	if (v == NULL || empty == NULL)
		return;
	v[j->nrows++] = empty;
	j->rows = v;
	j->nfields = 0;
	j->fields_cap = 1;
}

void gx_mbop__data(struct gx_mbop_job *j, struct gx_bin b, bool binary)
{
	j->r.has_data = true;
	j->r.data = b;
	j->r.binary = binary;
}

void gx_mbop__progress(struct gx_mbop_job *j, const char *what, uint64_t done, uint64_t total)
{
	const struct gx_mbop_opts *o = j->m->o;
	if (o->progress == NULL)
		return;
	pthread_mutex_lock(&j->m->tell);
	o->progress(j->t->who, what, done, total, o->ctx);
	pthread_mutex_unlock(&j->m->tell);
}

void gx_mbop__begin(struct gx_mbop_job *j)
{
	j->why = "";
	gx_strbuf_clear(&j->text);
	j->rows = NULL;
	j->nrows = j->rows_cap = j->nfields = j->fields_cap = 0;
	j->r = (struct gx_mbop_result){.command = j->cmd->e->c.name, .who = j->t->who, .dir = j->t->dir};
}

void gx_mbop__end(struct gx_mbop_job *j, bool ok)
{
	j->r.failed = !ok;
	j->r.why = ok ? "" : *j->why != '\0' ? j->why : "unknown error";
	j->r.text = gx_strbuf_cstr(&j->text);
	j->r.rows = (const struct gx_mbop_field *const *)j->rows;
	j->r.nrows = j->nrows;
	pthread_mutex_lock(&j->m->tell);
	j->m->failed += !ok;
	if (j->m->o->result != NULL)
		j->m->o->result(&j->r, j->m->o->ctx);
	pthread_mutex_unlock(&j->m->tell);
}
