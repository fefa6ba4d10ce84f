/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/outgoing/outgoing-int.h"

enum { TIMEOUT_MS = 60000 };

/* ---- Making ---- */

/* HOST, HOST:PORT, [ADDRESS], [ADDRESS]:PORT, with or without a slash behind it. */
static bool parse_place(struct gx_outgoing *o, const char *s)
{
	size_t n = strcspn(s, "/");
	char *text = gx_arena_strndup(o->a, s, n), *end;
	if (text == NULL || n == 0 || (s[n] == '/' && s[n + 1] != '\0'))
		return false;
	o->node = text;
	if (*text == '[') {
		o->node = text + 1;
		end = strchr(text, ']');
		if (end == NULL)
			return false;
		*end++ = '\0';
	} else {
		end = text + strcspn(text, ":");
	}
	o->port = gx_arena_strdup(o->a, *end == ':' ? end + 1 : "25");
	bool good = o->port != NULL && (*end == '\0' || *end == ':') && *o->port != '\0' && strspn(o->port, "0123456789") == strlen(o->port);
	*end = '\0';
	return good && *o->node != '\0';
}

static bool parse(struct gx_outgoing *o, const char *url)
{
	if (url == NULL || *url == '\0')
		return true;
	if (strncasecmp(url, "sendmail://", 11) == 0) {
		o->how = OUT_SENDMAIL;
		return true;
	}
	o->how = OUT_SMTP;
	return strncasecmp(url, "smtp://", 7) == 0 && parse_place(o, url + 7);
}

int gx_outgoing_new(const struct gx_outgoing_opts *o, struct gx_outgoing **ret_o, struct gx_arena *a, const char **ret_why)
{
	if (o == NULL || o->size != sizeof(*o) || o->dir == NULL || ret_o == NULL)
		return GX_E_INVAL;
	struct gx_outgoing *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return GX_E_NOMEM;
	x->o = *o;
	x->a = gx_arena_new(0);
	int err = x->a == NULL ? GX_E_NOMEM : parse(x, o->url) ? 0 : GX_E_INVAL;
	if (err == GX_E_INVAL && ret_why != NULL)
		*ret_why = gx_arena_printf(a, "outgoing_smtp_url = %s: expected sendmail://localhost or smtp://HOST:PORT", o->url);
	if (err == 0) {
		x->o.host = gx_arena_strdup(x->a, o->host == NULL || *o->host == '\0' ? "localhost" : o->host);
		x->o.sendmail = gx_arena_strdup(x->a, o->sendmail == NULL ? "/usr/sbin/sendmail" : o->sendmail);
		x->o.delimiter = gx_arena_strdup(x->a, o->delimiter == NULL ? "" : o->delimiter);
		x->o.timeout_ms = o->timeout_ms == 0 ? TIMEOUT_MS : o->timeout_ms;
		err = x->o.host == NULL || x->o.sendmail == NULL || x->o.delimiter == NULL ? GX_E_NOMEM : 0;
	}
	if (err != 0)
		gx_outgoing_free(x);
	else
		*ret_o = x;
	return err;
}

void gx_outgoing_free(struct gx_outgoing *o)
{
	if (o == NULL)
		return;
	gx_arena_free(o->a);
	free(o);
}

/* ---- Sending ---- */

struct split {
	struct gx_envelope ours, others;
	struct gx_journal *journal;
	struct gx_bin data;
};

/* Of our domains nobody else knows more than we do. */
static int is_ours(const struct gx_outgoing *o, const char *address, struct gx_arena *a, bool *ret_ours)
{
	struct gx_domain d;
	const char *at = strrchr(address, '@');
	int err = gx_delivery_check_rcpt(o->o.dir, address, o->o.delimiter, a);
	*ret_ours = err == 0;
	if (err == GX_E_STATE)
		return GX_E_NOTFOUND;
	if (err != GX_E_NOTFOUND)
		return err;
	err = at == NULL ? 0 : gx_dir_domain(o->o.dir, at + 1, a, &d);
	return err == GX_E_NOTFOUND ? 0 : err == 0 ? GX_E_NOTFOUND : err;
}

static int divide(const struct gx_outgoing *o, const struct gx_envelope *env, struct gx_arena *a, struct split *x)
{
	const char **ours = gx_arena_new_array(a, const char *, env->rcpt_count), **others = gx_arena_new_array(a, const char *, env->rcpt_count);
	if (ours == NULL || others == NULL)
		return GX_E_NOMEM;
	x->ours = x->others = *env;
	x->ours.rcpts = ours;
	x->others.rcpts = others;
	x->ours.rcpt_count = x->others.rcpt_count = 0;
	for (size_t i = 0; i < env->rcpt_count; ++i) {
		bool own = false;
		int err = x->journal == NULL ? 0 : is_ours(o, env->rcpts[i], a, &own);
		if (err == 0 && !own && o->how == OUT_NONE)
			err = GX_E_NOTFOUND;
		if (err != 0) {
			gx_log(o->o.log, GX_LOG_WARN, "outgoing: from=<%s> to=<%s>: there is no way to it: %s", env->from, env->rcpts[i], gx_strerror(err));
			return err;
		}
		if (own)
			ours[x->ours.rcpt_count++] = env->rcpts[i];
		else
			others[x->others.rcpt_count++] = env->rcpts[i];
	}
	return 0;
}

static int to_ours(void *ctx)
{
	const struct split *x = ctx;
	return x->ours.rcpt_count == 0 ? 0 : gx_journal_submit_wait(x->journal, &x->ours, x->data);
}

int gx_outgoing_send(struct gx_outgoing *o, struct gx_journal *journal, const struct gx_envelope *env, struct gx_bin data)
{
	if (o == NULL || env == NULL || env->from == NULL)
		return GX_E_INVAL;
	struct split x = {.journal = journal, .data = data};
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : divide(o, env, a, &x);
	if (err == 0 && x.others.rcpt_count > 0 && o->how == OUT_SMTP) {
		err = gx_outgoing__smtp(o, &x.others, data, to_ours, &x);
	} else if (err == 0) {
		err = to_ours(&x);
		if (err == 0 && x.others.rcpt_count > 0)
			err = gx_outgoing__sendmail(o, &x.others, data);
	}
	gx_arena_free(a);
	return err;
}
