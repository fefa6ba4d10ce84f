/* SPDX-License-Identifier: Apache-2.0 */
/* The sending side of [RFC 5321], to a mail transfer agent that is near. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <gx/codec.h>
#include "libgxproto/outgoing/outgoing-int.h"

enum { LINE_MOST = 2048, LINES_MOST = 200 };

struct talk {
	struct gx_outlink link;
	const struct gx_outgoing *o;
	const struct gx_envelope *env;
	struct gx_arena *a;
	char in[LINE_MOST];
	size_t have;
	char line[LINE_MOST];         /* the last of the answer */
	bool has_8bit, has_utf8, has_tls, has_plain, has_login;
};

/* ---- Lines ---- */

static int read_line(struct talk *t)
{
	for (;;) {
		char *lf = memchr(t->in, '\n', t->have);
		if (lf != NULL) {
			size_t n = (size_t)(lf - t->in), shown = n > 0 && t->in[n - 1] == '\r' ? n - 1 : n;
			memcpy(t->line, t->in, shown);
			t->line[shown] = '\0';
			t->have -= n + 1;
			memmove(t->in, lf + 1, t->have);
			return 0;
		}
		if (t->have == sizeof(t->in) - 1)
			return GX_E_FORMAT;
		ssize_t r = gx_outlink__read(&t->link, t->in + t->have, sizeof(t->in) - 1 - t->have);
		if (r < 0)
			return (int)r;
		t->have += (size_t)r;
	}
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list; *p != '\0'; p += strcspn(p, " "), p += strspn(p, " "))
		if (strncasecmp(p, word, n) == 0 && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static void note_extension(struct talk *t)
{
	const char *s = strlen(t->line) < 5 ? "" : t->line + 4;
	t->has_8bit = t->has_8bit || strncasecmp(s, "8BITMIME", 8) == 0;
	t->has_utf8 = t->has_utf8 || strncasecmp(s, "SMTPUTF8", 8) == 0;
	t->has_tls = t->has_tls || strcasecmp(s, "STARTTLS") == 0;
	if (strncasecmp(s, "AUTH ", 5) != 0)
		return;
	t->has_plain = t->has_plain || has_word(s + 5, "PLAIN");
	t->has_login = t->has_login || has_word(s + 5, "LOGIN");
}

/* @return the code, or GX_E_*. */
static int answer(struct talk *t)
{
	for (unsigned i = 0; i < LINES_MOST; ++i) {
		int err = read_line(t);
		if (err != 0)
			return err;
		if (strspn(t->line, "0123456789") != 3)
			return GX_E_FORMAT;
		note_extension(t);
		if (t->line[3] != '-')
			return (int)strtol(t->line, NULL, 10);
	}
	return GX_E_FORMAT;
}

/* ---- Commands ---- */

/* What the agent said last, or why there is nothing of that sort. */
static const char *said(struct talk *t, int err)
{
	return err == GX_E_NOTFOUND || err == GX_E_INVAL || err == GX_E_BUSY ? t->line : gx_strerror(err);
}

/* 0 for a good answer; @refused for one that says never, GX_E_BUSY for one that says not now. */
static int judge(struct talk *t, int code, int good, int refused)
{
	if (code / 100 == good)
		return 0;
	gx_log(t->o->o.log, GX_LOG_WARN, "outgoing: from=<%s>: %s:%s says: %s", t->env->from, t->o->node, t->o->port,
		code < 0 ? gx_strerror(code) : t->line);
	return code < 0 ? code : code / 100 == 5 ? refused : GX_E_BUSY;
}

static int command(struct talk *t, int good, int refused, const char *fmt, ...) GX_PRINTF(4, 5);

static int command(struct talk *t, int good, int refused, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *text = gx_arena_vprintf(t->a, fmt, ap);
	va_end(ap);
	if (text == NULL)
		return GX_E_NOMEM;
	if (strpbrk(text, "\r\n") != NULL) {
		snprintf(t->line, sizeof(t->line), "501 5.1.3 a line break in an address");
		return GX_E_INVAL;
	}
	const char *line = gx_arena_printf(t->a, "%s\r\n", text);
	int err = line == NULL ? GX_E_NOMEM : gx_outlink__write(&t->link, line, strlen(line));
	return err != 0 ? err : judge(t, answer(t), good, refused);
}

static bool is_ascii(const void *data, size_t n)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < n; ++i)
		if (p[i] >= 0x80)
			return false;
	return true;
}

/* ---- Before the first mail ---- */

static const char *base64(struct talk *t, const char *s, size_t n)
{
	size_t len = gx_base64_enc_len(n);
	char *b = gx_arena_alloc(t->a, len + 1);
	if (b == NULL)
		return NULL;
	b[gx_base64_enc((const uint8_t *)s, n, b)] = '\0';
	return b;
}

/* [RFC 4616], [RFC 4954] 4; LOGIN is the older way, which some agents have alone */
static int log_in(struct talk *t)
{
	const char *user = t->o->user, *password = t->o->password;
	size_t u = strlen(user), p = strlen(password);
	if (!t->has_plain && t->has_login) {
		const char *b = base64(t, user, u), *c = base64(t, password, p);
		int err = b == NULL || c == NULL ? GX_E_NOMEM : command(t, 3, GX_E_BUSY, "AUTH LOGIN");
		err = err != 0 ? err : command(t, 3, GX_E_BUSY, "%s", b);
		return err != 0 ? err : command(t, 2, GX_E_BUSY, "%s", c);
	}
	char *s = gx_arena_calloc(t->a, u + p + 2, 1);
	if (s == NULL)
		return GX_E_NOMEM;
	memcpy(s + 1, user, u);
	memcpy(s + u + 2, password, p);
	const char *b = base64(t, s, u + p + 2);
	return b == NULL ? GX_E_NOMEM : command(t, 2, GX_E_BUSY, "AUTH PLAIN %s", b);
}

static int encrypt(struct talk *t)
{
	const char *why;
	int err = t->have > 0 ? GX_E_FORMAT : gx_outlink__encrypt(&t->link, t->a, &why); /* said in the clear, and for later: somebody's in between */
	if (err == 0)
		return 0;
	if (t->have > 0)
		why = "it says more than it was asked";
	gx_log(t->o->o.log, GX_LOG_ERROR, "outgoing: %s:%s: no encrypted connection: %s", t->o->node, t->o->port, why);
	snprintf(t->line, sizeof(t->line), "451 4.7.5 no encrypted connection: %s", why);
	return GX_E_BUSY;
}

static int greet(struct talk *t)
{
	t->has_8bit = t->has_utf8 = t->has_tls = t->has_plain = t->has_login = false;
	return command(t, 2, GX_E_BUSY, "EHLO %s", t->o->o.host);
}

static int start_tls(struct talk *t)
{
	int err;
	if (!t->has_tls) {
		gx_log(t->o->o.log, GX_LOG_ERROR, "outgoing: %s:%s does not offer STARTTLS; see outgoing_smtp_starttls", t->o->node, t->o->port);
		snprintf(t->line, sizeof(t->line), "451 4.7.4 STARTTLS is not offered");
		return GX_E_BUSY;
	}
	err = command(t, 2, GX_E_BUSY, "STARTTLS");
	err = err != 0 ? err : encrypt(t);
	return err != 0 ? err : greet(t);
}

static int begin(struct talk *t)
{
	int err = t->o->smtps ? encrypt(t) : 0;
	err = err != 0 ? err : judge(t, answer(t), 2, GX_E_BUSY);
	err = err != 0 ? err : greet(t);
	if (err == 0 && t->o->o.starttls && !t->o->smtps)
		err = start_tls(t);
	if (err != 0 || t->o->user == NULL)
		return err;
	err = log_in(t);
	if (err == GX_E_BUSY)
		gx_log(t->o->o.log, GX_LOG_ERROR, "outgoing: %s:%s does not let %s in: %s; see outgoing_smtp_url and outgoing_smtp_password_file",
			t->o->node, t->o->port, t->o->user, t->line);
	return err;
}

/* ---- The mail ---- */

static bool needs_utf8(const struct gx_envelope *env)
{
	bool plain = is_ascii(env->from, strlen(env->from));
	for (size_t i = 0; plain && i < env->rcpt_count; ++i)
		plain = is_ascii(env->rcpts[i], strlen(env->rcpts[i]));
	return !plain;
}

static int mail_from(struct talk *t, struct gx_bin data)
{
	bool utf8 = needs_utf8(t->env);
	if (utf8 && !t->has_utf8) {
		snprintf(t->line, sizeof(t->line), "553 5.6.7 no addresses beyond ASCII there (SMTPUTF8)");
		return GX_E_NOTFOUND;
	}
	return command(t, 2, GX_E_INVAL, "MAIL FROM:<%s>%s%s", t->env->from, t->has_8bit && !is_ascii(data.data, data.len) ? " BODY=8BITMIME" : "",
		utf8 ? " SMTPUTF8" : "");
}

/* [RFC 5321] 4.5.2: a dot that begins a line is doubled */
static int body(struct talk *t, struct gx_bin data)
{
	const uint8_t *p = data.data, *end = p + data.len;
	int err = 0;
	while (err == 0 && p < end) {
		const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = lf == NULL ? (size_t)(end - p) : (size_t)(lf - p) + 1;
		if (*p == '.')
			err = gx_outlink__write(&t->link, ".", 1);
		if (err == 0)
			err = gx_outlink__write(&t->link, p, n);
		p += n;
	}
	bool ended = data.len >= 2 && memcmp(end - 2, "\r\n", 2) == 0;
	if (err == 0)
		err = gx_outlink__write(&t->link, ended ? ".\r\n" : "\r\n.\r\n", ended ? 3 : 5);
	return err != 0 ? err : judge(t, answer(t), 2, GX_E_INVAL);
}

/* Of those without an error of their own. */
static void all(struct talk *t, struct gx_fate **fates, int err)
{
	for (size_t i = 0; i < t->env->rcpt_count; ++i)
		if (fates[i]->err == 0)
			gx_fate__say(fates[i], err, t->o->node, said(t, err));
}

/* @ret_any: somebody is to have it. */
static int rcpt_to(struct talk *t, struct gx_fate **fates, bool *ret_any)
{
	*ret_any = false;
	for (size_t i = 0; i < t->env->rcpt_count; ++i) {
		int err = command(t, 2, GX_E_NOTFOUND, "RCPT TO:<%s>", t->env->rcpts[i]);
		if (err == 0)
			*ret_any = true;
		else if (err != GX_E_NOTFOUND && err != GX_E_BUSY && err != GX_E_INVAL)
			return err;
		if (err != 0)
			gx_fate__say(fates[i], err, t->o->node, t->line);
	}
	return 0;
}

void gx_outgoing__smtp(const struct gx_outgoing *o, const struct gx_envelope *env, struct gx_bin data, struct gx_fate **fates)
{
	struct talk t = {.o = o, .env = env, .link = {.o = o, .fd = -1}, .a = gx_arena_new(0)};
	bool any = false;
	for (size_t i = 0; i < env->rcpt_count; ++i)
		fates[i]->err = 0;
	int err = t.a == NULL ? GX_E_NOMEM : gx_outlink__dial(&t.link);
	if (err != 0) {
		gx_log(o->o.log, GX_LOG_WARN, "outgoing: from=<%s>: %s:%s cannot be reached; see outgoing_smtp_url", env->from, o->node, o->port);
		all(&t, fates, err);
		gx_arena_free(t.a);
		return;
	}
	err = begin(&t);
	err = err != 0 ? err : mail_from(&t, data);
	err = err != 0 ? err : rcpt_to(&t, fates, &any);
	if (err == 0 && any)
		err = command(&t, 3, GX_E_INVAL, "DATA");
	if (err == 0 && any)
		err = body(&t, data);
	if (err != 0)
		all(&t, fates, err);
	/* it has the mail, or will not get it: what it says to this does not matter */
	(void)!gx_outlink__write(&t.link, "QUIT\r\n", 6);
	gx_outlink__close(&t.link);
	gx_arena_free(t.a);
}
