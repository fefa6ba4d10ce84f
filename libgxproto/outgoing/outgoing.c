/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/outgoing/outgoing-int.h"

enum { TIMEOUT_MS = 60000 };

/* ---- Making ---- */

/* HOST, HOST:PORT, [ADDRESS], [ADDRESS]:PORT. */
static bool parse_place(struct gx_outgoing *o, char *text)
{
	char *end;
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
	o->port = gx_arena_strdup(o->a, *end == ':' ? end + 1 : o->smtps ? "465" : "25");
	bool good = o->port != NULL && (*end == '\0' || *end == ':') && *o->port != '\0' && strspn(o->port, "0123456789") == strlen(o->port);
	*end = '\0';
	return good && *o->node != '\0';
}

/* [RFC 3986] 2.1, in place. */
static bool decode(char *s)
{
	char *to = s;
	for (; *s != '\0'; ++s, ++to) {
		unsigned v;
		*to = *s;
		if (*s != '%')
			continue;
		if (!isxdigit((unsigned char)s[1]) || !isxdigit((unsigned char)s[2]) || sscanf(s + 1, "%2x", &v) != 1 || v == 0)
			return false;
		*to = (char)v;
		s += 2;
	}
	*to = '\0';
	return true;
}

/* USER or USER:PASSWORD. */
static bool parse_user(struct gx_outgoing *o, char *text)
{
	char *colon = strchr(text, ':');
	o->user = text;
	if (colon != NULL) {
		*colon = '\0';
		o->password = colon + 1;
	}
	return decode(o->user) && *o->user != '\0' && (o->password == NULL || decode(o->password));
}

static bool parse_smtp(struct gx_outgoing *o, const char *s)
{
	size_t n = strcspn(s, "/");
	char *text = gx_arena_strndup(o->a, s, n);
	char *at = text == NULL ? NULL : strrchr(text, '@');
	if (text == NULL || (s[n] == '/' && s[n + 1] != '\0'))
		return false;
	if (at == NULL)
		return parse_place(o, text);
	*at = '\0';
	return parse_user(o, text) && parse_place(o, at + 1);
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
	o->smtps = strncasecmp(url, "smtps://", 8) == 0;
	return (o->smtps || strncasecmp(url, "smtp://", 7) == 0) && parse_smtp(o, url + (o->smtps ? 8 : 7));
}

static int texts(struct gx_outgoing *x, const struct gx_outgoing_opts *o)
{
	x->o.host = gx_arena_strdup(x->a, o->host == NULL || *o->host == '\0' ? "localhost" : o->host);
	x->o.sendmail = gx_arena_strdup(x->a, o->sendmail == NULL ? "/usr/sbin/sendmail" : o->sendmail);
	x->o.delimiter = gx_arena_strdup(x->a, o->delimiter == NULL ? "" : o->delimiter);
	x->o.timeout_ms = o->timeout_ms == 0 ? TIMEOUT_MS : o->timeout_ms;
	return x->o.host == NULL || x->o.sendmail == NULL || x->o.delimiter == NULL ? GX_E_NOMEM : 0;
}

static int make(struct gx_outgoing *x, const struct gx_outgoing_opts *o, struct gx_arena *a, const char **ret_why)
{
	if (!parse(x, o->url)) {
		*ret_why = strchr(o->url, '@') != NULL ? "outgoing_smtp_url: expected smtps://USER:PASSWORD@HOST:PORT" : gx_arena_printf(a,
			"outgoing_smtp_url = %s: expected sendmail://localhost, smtp://HOST:PORT or smtps://HOST:PORT", o->url);
		return GX_E_INVAL;
	}
	int err = texts(x, o);
	return err != 0 || x->how != OUT_SMTP ? err : gx_outgoing__secure(x, a, ret_why);
}

int gx_outgoing_new(const struct gx_outgoing_opts *o, struct gx_outgoing **ret_o, struct gx_arena *a, const char **ret_why)
{
	const char *why = NULL;
	if (o == NULL || o->size != sizeof(*o) || o->dir == NULL || ret_o == NULL)
		return GX_E_INVAL;
	struct gx_outgoing *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return GX_E_NOMEM;
	x->o = *o;
	x->a = gx_arena_new(0);
	int err = x->a == NULL ? GX_E_NOMEM : make(x, o, a, &why);
	if (ret_why != NULL && why != NULL)
		*ret_why = why;
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
	if (o->cred != NULL)
		gnutls_certificate_free_credentials(o->cred);
	gx_arena_free(o->a);
	free(o);
}

/* ---- Sending ---- */

void gx_fate__say(struct gx_fate *f, int err, const char *host, const char *says)
{
	f->err = err;
	snprintf(f->host, sizeof(f->host), "%s", host);
	snprintf(f->says, sizeof(f->says), "%s", says);
}

struct split {
	struct gx_envelope env;      /* of these recipients alone */
	const char **rcpts;
	struct gx_fate **fates;
};

/* Of our domains nobody else knows more than we do. */
static int is_ours(const struct gx_outgoing *o, const char *address, struct gx_arena *a, struct gx_fate *f, bool *ret_ours)
{
	struct gx_domain d;
	const char *at = strrchr(address, '@');
	int err = gx_delivery_check_rcpt(o->o.dir, address, o->o.delimiter, a);
	*ret_ours = err == 0;
	if (err == GX_E_STATE) {
		gx_fate__say(f, GX_E_NOTFOUND, "", "550 5.2.1 this mailbox takes no mail");
		return GX_E_NOTFOUND;
	}
	if (err != GX_E_NOTFOUND)
		return err;
	err = at == NULL ? 0 : gx_dir_domain(o->o.dir, at + 1, a, &d);
	if (err == 0 && at != NULL) {
		gx_fate__say(f, GX_E_NOTFOUND, "", "550 5.1.1 there is no such mailbox here");
		return GX_E_NOTFOUND;
	}
	return err == GX_E_NOTFOUND ? 0 : err;
}

static void add(struct split *x, const char *rcpt, struct gx_fate *f)
{
	x->rcpts[x->env.rcpt_count] = rcpt;
	x->fates[x->env.rcpt_count++] = f;
}

static int split_new(struct gx_arena *a, const struct gx_envelope *env, struct split *x)
{
	x->env = *env;
	x->env.rcpt_count = 0;
	x->env.rcpts = x->rcpts = gx_arena_new_array(a, const char *, env->rcpt_count);
	x->fates = gx_arena_new_array(a, struct gx_fate *, env->rcpt_count);
	return x->rcpts == NULL || x->fates == NULL ? GX_E_NOMEM : 0;
}

static void divide(const struct gx_outgoing *o, bool local, const struct gx_envelope *env, struct gx_arena *a, struct gx_fate *fates,
	struct split *ours, struct split *others)
{
	for (size_t i = 0; i < env->rcpt_count; ++i) {
		bool own = false;
		struct gx_fate *f = &fates[i];
		int err = local ? is_ours(o, env->rcpts[i], a, f, &own) : 0;
		if (err == 0 && !own && o->how == OUT_NONE) {
			err = GX_E_NOTFOUND;
			gx_fate__say(f, err, "", "550 5.4.4 no mail leaves this server");
		} else if (err != 0 && f->says[0] == '\0') {
			gx_fate__say(f, err, "", gx_strerror(err));
		}
		if (err != 0)
			gx_log(o->o.log, GX_LOG_WARN, "outgoing: from=<%s> to=<%s>: there is no way to it: %s", env->from, env->rcpts[i], f->says);
		else
			add(own ? ours : others, env->rcpts[i], f);
	}
}

static void all(struct split *x, int err, const char *says)
{
	for (size_t i = 0; i < x->env.rcpt_count; ++i)
		gx_fate__say(x->fates[i], err, "", err == 0 ? "" : says);
}

static void send_all(struct gx_outgoing *o, struct gx_journal *journal, struct split *ours, struct split *others, struct gx_bin data)
{
	int err = ours->env.rcpt_count == 0 ? 0 : gx_journal_submit_wait(journal, &ours->env, data);
	all(ours, err, gx_strerror(err));
	if (others->env.rcpt_count == 0)
		return;
	if (o->how == OUT_SMTP) {
		gx_outgoing__smtp(o, &others->env, data, others->fates);
		return;
	}
	err = gx_outgoing__sendmail(o, &others->env, data);
	all(others, err, err == GX_E_NOTFOUND ? "550 5.1.1 the mail program knows no such recipient" :
		err == GX_E_INVAL ? "554 5.6.0 the mail program refuses the mail" : gx_strerror(err));
}

int gx_outgoing_send(struct gx_outgoing *o, struct gx_journal *journal, const struct gx_envelope *env, struct gx_bin data,
	struct gx_fate *ret_fates)
{
	struct split ours, others;
	if (o == NULL || env == NULL || env->from == NULL)
		return GX_E_INVAL;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_fate *fates = ret_fates != NULL || a == NULL ? ret_fates : gx_arena_new_array(a, struct gx_fate, env->rcpt_count);
	int err = a == NULL || fates == NULL ? GX_E_NOMEM : split_new(a, env, &ours);
	err = err != 0 ? err : split_new(a, env, &others);
	if (err == 0) {
		memset(fates, 0, env->rcpt_count * sizeof(*fates));
		divide(o, journal != NULL, env, a, fates, &ours, &others);
		send_all(o, journal, &ours, &others, data);
	} else if (ret_fates != NULL) {
		for (size_t i = 0; i < env->rcpt_count; ++i)
			gx_fate__say(&ret_fates[i], err, "", gx_strerror(err));
	}
	for (size_t i = 0; err == 0 && i < env->rcpt_count; ++i)
		err = fates[i].err;
	gx_arena_free(a);
	return err;
}
