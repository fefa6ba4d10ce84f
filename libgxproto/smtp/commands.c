/* SPDX-License-Identifier: Apache-2.0 */
/* The commands and what must hold before each. [RFC 5321] 4.1, [RFC 2033] 4 */
#include <config.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include "smtp-int.h"

static void take_name(struct gx_smtp *s, const char *arg)
{
	size_t n = 0;
	for (; arg[n] != '\0' && n < sizeof(s->helo) - 1; ++n)
		s->helo[n] = arg[n] > 0x20 && arg[n] < 0x7f ? arg[n] : '?';
	s->helo[n] = '\0';
}

static void say_hello(struct gx_smtp *s, struct gx_io *io)
{
	const struct gx_smtp_server *v = s->srv;
	gx_smtp__replyf(io, "250-%s", v->hostname);
	if (v->offer_pipelining)
		gx_smtp__reply(io, "250-PIPELINING");
	if (v->max_message > 0)
		gx_smtp__replyf(io, "250-SIZE %" PRIu64, v->max_message);
	else
		gx_smtp__reply(io, "250-SIZE");
	if (v->offer_starttls && !(io->events & GX_IO_TLS))
		gx_smtp__reply(io, "250-STARTTLS");
	gx_smtp__reply(io, "250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250 ENHANCEDSTATUSCODES");
}

static int hello(struct gx_smtp *s, struct gx_io *io, char *arg, bool lmtp, bool extended)
{
	if (lmtp ? !s->srv->lmtp : !s->srv->smtp) {
		/* [RFC 2033] 4.1: a server that speaks only LMTP refuses HELO and EHLO. */
		gx_smtp__refuse(s, io, lmtp ? "500 5.5.1 LMTP is not spoken here, use EHLO" : "500 5.5.1 This is LMTP, use LHLO");
		return SMTP_GO_ON;
	}
	if (*arg == '\0') {
		gx_smtp__refuse(s, io, "501 5.5.4 The name of the client is missing");
		return SMTP_GO_ON;
	}
	gx_smtp__reset(s);
	take_name(s, arg);
	s->hello = true;
	s->esmtp = extended;
	s->lmtp = lmtp;
	if (extended)
		say_hello(s, io);
	else
		gx_smtp__replyf(io, "250 %s", s->srv->hostname);
	return SMTP_GO_ON;
}

static int cmd_helo(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	return hello(s, io, arg, false, false);
}

static int cmd_ehlo(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	return hello(s, io, arg, false, true);
}

static int cmd_lhlo(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	return hello(s, io, arg, true, true);
}

static int cmd_starttls(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	if (!s->srv->offer_starttls || (io->events & GX_IO_TLS)) {
		gx_smtp__refuse(s, io, io->events & GX_IO_TLS ? "503 5.5.1 TLS is in use already" : "502 5.5.1 STARTTLS is not offered");
		return SMTP_GO_ON;
	}
	if (*arg != '\0') {
		gx_smtp__refuse(s, io, "501 5.5.4 STARTTLS takes no parameter");
		return SMTP_GO_ON;
	}
	gx_smtp__reset(s);
	gx_smtp__reply(io, "220 2.0.0 Ready to start TLS");
	/* Commands sent along in the clear are not to be run under TLS. [RFC 3207] 4.2 */
	gx_iobuf_consume(&io->in, gx_iobuf_left(&io->in));
	s->state = SMTP_TLS;
	return GX_WANT_STARTTLS;
}

static int cmd_rset(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	gx_smtp__reset(s);
	gx_smtp__reply(io, "250 2.0.0 Ok");
	return SMTP_GO_ON;
}

static int cmd_noop(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	gx_smtp__reply(io, "250 2.0.0 Ok");
	return SMTP_GO_ON;
}

static int cmd_vrfy(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	/* Answering truly would tell strangers who exists. [RFC 5321] 7.3 */
	if (*arg == '\0')
		gx_smtp__refuse(s, io, "501 5.5.4 VRFY needs an address");
	else
		gx_smtp__reply(io, "252 2.5.0 Cannot verify, send mail and see");
	return SMTP_GO_ON;
}

static int cmd_expn(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	gx_smtp__refuse(s, io, "502 5.7.0 Lists are not shown");
	return SMTP_GO_ON;
}

static int cmd_help(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	gx_smtp__reply(io, "214 2.0.0 See RFC 5321 and RFC 2033");
	return SMTP_GO_ON;
}

static int cmd_quit(struct gx_smtp *s, struct gx_io *io, char *arg)
{
	gx_smtp__reply(io, "221 2.0.0 Bye");
	s->state = SMTP_CLOSE;
	return SMTP_GO_ON;
}

enum { NEED_HELLO = 1, NEED_TLS = 2, NEED_MAIL = 4, NEED_NO_BDAT = 8 };

static const struct command {
	const char *verb;
	int (*run)(struct gx_smtp *s, struct gx_io *io, char *arg);
	unsigned needs;
} commands[] = {
	{"MAIL", gx_smtp__mail, NEED_HELLO | NEED_TLS},
	{"RCPT", gx_smtp__rcpt, NEED_HELLO | NEED_TLS | NEED_MAIL | NEED_NO_BDAT},
	{"DATA", gx_smtp__data, NEED_HELLO | NEED_TLS | NEED_MAIL | NEED_NO_BDAT},
	{"BDAT", gx_smtp__bdat, 0}, /* its bytes follow in any case, so it checks itself */
	{"LHLO", cmd_lhlo, 0},
	{"EHLO", cmd_ehlo, 0},
	{"HELO", cmd_helo, 0},
	{"STARTTLS", cmd_starttls, NEED_HELLO},
	{"RSET", cmd_rset, 0},
	{"NOOP", cmd_noop, 0},
	{"VRFY", cmd_vrfy, NEED_TLS},
	{"EXPN", cmd_expn, NEED_TLS},
	{"HELP", cmd_help, 0},
	{"QUIT", cmd_quit, 0},
};

static const char *unmet(const struct gx_smtp *s, const struct gx_io *io, unsigned needs)
{
	if ((needs & NEED_TLS) && s->srv->require_tls && !(io->events & GX_IO_TLS))
		return "530 5.7.0 Use STARTTLS first";
	if ((needs & NEED_HELLO) && !s->hello)
		return s->srv->smtp ? "503 5.5.1 Say EHLO first" : "503 5.5.1 Say LHLO first";
	if ((needs & NEED_MAIL) && !s->mailed)
		return "503 5.5.1 MAIL comes first";
	if ((needs & NEED_NO_BDAT) && s->bdat_seen)
		return "503 5.5.1 Not between BDAT chunks";
	return NULL;
}

int gx_smtp__command(struct gx_smtp *s, struct gx_io *io, char *line)
{
	char *arg = line;
	while (isalpha((unsigned char)*arg))
		++arg;
	size_t n = (size_t)(arg - line);
	if (*arg != '\0' && *arg != ' ' && *arg != '\t')
		n = 0;
	while (*arg == ' ' || *arg == '\t')
		++arg;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); ++i) {
		const struct command *c = &commands[i];
		if (strlen(c->verb) != n || strncasecmp(line, c->verb, n) != 0)
			continue;
		const char *why = unmet(s, io, c->needs);
		if (why == NULL)
			return c->run(s, io, arg);
		gx_smtp__refuse(s, io, why);
		return SMTP_GO_ON;
	}
	gx_smtp__refuse(s, io, "500 5.5.2 Unknown command");
	return SMTP_GO_ON;
}
