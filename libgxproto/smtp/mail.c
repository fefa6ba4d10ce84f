/* SPDX-License-Identifier: Apache-2.0 */
/* MAIL and RCPT. [RFC 5321] 4.1.1.2, 4.1.1.3; SIZE [RFC 1870]; BODY [RFC 6152]; SMTPUTF8 [RFC 6531] */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "smtp-int.h"

enum { DEFAULT_MAX_RCPTS = 1000 };

/** "FROM:" or "TO:" @return behind it, NULL when it is something else. */
static char *after_word(char *arg, const char *word)
{
	size_t n = strlen(word);
	return strncasecmp(arg, word, n) == 0 ? arg + n : NULL;
}

static const char *path_error(int err)
{
	switch (err) {
	case GX_E_ENCODING: return "553 5.6.7 An address of that kind needs SMTPUTF8 and must be UTF-8";
	case GX_E_LIMIT: return "501 5.1.3 The address is too long";
	case GX_E_NOMEM: return "452 4.3.0 Out of memory";
	default: return "501 5.1.3 Bad address syntax";
	}
}

/** Cuts the next "KEY=VALUE" off a list separated by blanks. @return NULL at its end. */
static char *next_param(char **io_rest, char **ret_value)
{
	char *p = *io_rest + strspn(*io_rest, " \t");
	if (*p == '\0')
		return NULL;
	char *end = p + strcspn(p, " \t");
	*io_rest = *end == '\0' ? end : end + 1;
	*end = '\0';
	*ret_value = strchr(p, '=');
	if (*ret_value != NULL)
		*(*ret_value)++ = '\0';
	return p;
}

struct mail_params {
	uint64_t size;
	bool smtputf8;
};

static const char *size_param(const struct gx_smtp *s, const char *value, uint64_t *ret_size)
{
	size_t n = value == NULL ? 0 : strlen(value);
	if (n == 0 || n > 20 || strspn(value, "0123456789") != n)
		return "501 5.5.4 Bad SIZE";
	errno = 0;
	*ret_size = strtoull(value, NULL, 10);
	if (errno != 0 || (s->srv->max_message > 0 && *ret_size > s->srv->max_message))
		return "552 5.3.4 The message is larger than allowed here";
	return NULL;
}

static const char *mail_params(const struct gx_smtp *s, char *rest, struct mail_params *ret_p)
{
	char *key, *value;
	if (*rest != '\0' && *rest != ' ' && *rest != '\t')
		return "501 5.5.4 Bad parameters";
	while ((key = next_param(&rest, &value)) != NULL) {
		const char *why = NULL;
		if (!s->esmtp)
			why = "555 5.5.4 Parameters need EHLO";
		else if (strcasecmp(key, "SIZE") == 0)
			why = size_param(s, value, &ret_p->size);
		else if (strcasecmp(key, "SMTPUTF8") == 0 && value == NULL)
			ret_p->smtputf8 = true;
		else if (strcasecmp(key, "BODY") == 0)
			why = value != NULL && (strcasecmp(value, "7BIT") == 0 || strcasecmp(value, "8BITMIME") == 0) ?
				NULL : "501 5.5.4 BODY is 7BIT or 8BITMIME";
		else
			why = "555 5.5.4 Unknown parameter of MAIL";
		if (why != NULL)
			return why;
	}
	return NULL;
}

/** SMTPUTF8 stands behind the address that it permits. */
static bool has_smtputf8(const char *arg)
{
	const char *p = strrchr(arg, '>');
	return p != NULL && strcasestr(p, " SMTPUTF8") != NULL;
}

static bool room(const struct gx_smtp *s, uint64_t size)
{
	uint64_t n = size < GX_SMTP_SPOOL_ABOVE ? size + 1 : 1;
	if (!s->be->reserve(s->srv, n))
		return false;
	s->be->unreserve(s->srv, n);
	return true;
}

static const char *begin(struct gx_smtp *s, char *arg)
{
	struct mail_params p = {0};
	const char *from;
	char *rest, *path = after_word(arg, "FROM:");
	if (path == NULL)
		return "501 5.5.4 Say MAIL FROM:<address>";
	s->txn = gx_smtp_txn__new(s->be, s->srv);
	if (s->txn == NULL)
		return "452 4.3.0 Out of memory";
	int ret = gx_smtp__path(s->txn->a, path, SMTP_PATH_NULL | SMTP_PATH_BARE_LOCAL |
		(s->esmtp && has_smtputf8(path) ? SMTP_PATH_UTF8 : 0), &from, &rest);
	if (ret != 0)
		return path_error(ret);
	const char *why = mail_params(s, rest, &p);
	if (why != NULL)
		return why;
	if (!room(s, p.size))
		return "452 4.3.1 Too much mail at once, try again";
	s->txn->env.from = from;
	s->txn->env.smtputf8 = p.smtputf8;
	s->txn->declared = p.size;
	return NULL;
}

int gx_smtp__mail(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	if (s->mailed) {
		gx_smtp__refuse(s, io, "503 5.5.1 A message is begun already, say RSET to drop it");
		return SMTP_GO_ON;
	}
	gx_smtp__reset(s);
	const char *why = begin(s, arg);
	if (why != NULL) {
		gx_smtp__reset(s);
		gx_smtp__refuse(s, io, why);
		return SMTP_GO_ON;
	}
	s->mailed = true;
	gx_smtp__reply(io, "250 2.1.0 Ok");
	return SMTP_GO_ON;
}

static void refuse_rcpt(struct gx_smtp *s, struct gx_io *io, const char *addr, int err)
{
	const char *code = "451 4.3.0", *words = "Cannot look up the recipient now, try again";
	if (err == GX_E_NOTFOUND) {
		code = "550 5.1.1";
		words = "No such user here";
	} else if (err == GX_E_STATE) {
		code = "550 5.2.1";
		words = "The mailbox takes no mail";
	} else if (err == GX_E_NOSPACE) {
		code = "552 5.2.2";
		words = "The mailbox is full";
	} else if (err == GX_E_LIMIT) {
		code = "451 4.4.1";
		words = "The mailbox cannot be reached and much mail waits for it, try again later";
	}
	gx_log(io->log, GX_LOG_NOTICE, "%s: id=%llu peer=%s from=<%s> to=<%s> refused: %s", s->lmtp ? "lmtp" : "smtp",
		(unsigned long long)io->id, io->peer != NULL ? io->peer : "-", s->txn->env.from, addr, gx_strerror(err));
	/* Guessing at addresses ends the connection in SMTP; an LMTP client is our own mail server. */
	if (!s->lmtp)
		s->errors++;
	gx_smtp__replyf(io, "%s <%s> %s", code, addr, words);
}

int gx_smtp__rcpt(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	const char *addr;
	char *rest, *value, *path = after_word(arg, "TO:");
	uint32_t max = s->srv->max_rcpts != 0 ? s->srv->max_rcpts : DEFAULT_MAX_RCPTS;
	if (path == NULL) {
		gx_smtp__refuse(s, io, "501 5.5.4 Say RCPT TO:<address>");
		return SMTP_GO_ON;
	}
	if (s->txn->env.rcpt_count >= max) {
		gx_smtp__reply(io, "452 4.5.3 Too many recipients, send the rest in another message");
		return SMTP_GO_ON;
	}
	int ret = gx_smtp__path(s->txn->a, path, SMTP_PATH_BARE_LOCAL | (s->txn->env.smtputf8 ? SMTP_PATH_UTF8 : 0), &addr, &rest);
	if (ret != 0) {
		gx_smtp__refuse(s, io, path_error(ret));
		return SMTP_GO_ON;
	}
	if (next_param(&rest, &value) != NULL) {
		gx_smtp__refuse(s, io, "555 5.5.4 Unknown parameter of RCPT");
		return SMTP_GO_ON;
	}
	ret = s->be->check(s->srv, addr, s->txn->declared, s->txn->a);
	if (ret == 0)
		ret = gx_smtp_txn__add_rcpt(s->txn, addr);
	if (ret == 0)
		gx_smtp__reply(io, "250 2.1.5 Ok");
	else
		refuse_rcpt(s, io, addr, ret);
	return SMTP_GO_ON;
}
