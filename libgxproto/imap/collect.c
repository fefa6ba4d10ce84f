/* SPDX-License-Identifier: Apache-2.0 */
/* Puts lines and literals together until a command is whole. [RFC 3501] 4.3, [RFC 7888] */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

enum {
	MAX_LINE = 64 * 1024,
	MAX_LITERAL = 64 * 1024,
	MAX_COMMAND = 256 * 1024,
	MAX_COMMAND_NOAUTH = 16 * 1024,
};
#define MAX_SKIP (UINT64_C(1) << 30)
#define DEFAULT_MESSAGE (UINT64_C(64) << 20)

void gx_imap__collect_reset(struct imap_collect *c)
{
	gx_push_release(&c->cmd);
	gx_imap__spool_release(&c->message);
	free(c->refuse);
	*c = (struct imap_collect){.message.fd = -1};
}

static size_t command_limit(const struct imap_session *s)
{
	return s->user == NULL ? MAX_COMMAND_NOAUTH : MAX_COMMAND;
}

/* "{5}" or "{5+}" at the end of the present line? */
static bool line_literal(const struct imap_collect *c, uint64_t *ret_n, bool *ret_sync, size_t *ret_at)
{
	const char *line = (const char *)c->cmd.data + c->line;
	size_t i = c->cmd.len - c->line, digits = 0;
	if (i < 3 || line[--i] != '}')
		return false;
	*ret_sync = line[i - 1] != '+';
	if (!*ret_sync)
		--i;
	while (i > 0 && line[i - 1] >= '0' && line[i - 1] <= '9') {
		--i;
		++digits;
	}
	if (digits == 0 || i == 0 || line[i - 1] != '{')
		return false;
	*ret_at = c->line + i - 1;
	*ret_n = 0;
	for (; digits > 0; --digits, ++i) {
		if (*ret_n > UINT64_MAX / 10 - 10)
			*ret_n = UINT64_MAX / 10 - 10;
		*ret_n = *ret_n * 10 + (uint64_t)(line[i] - '0');
	}
	return true;
}

/* The command that the bytes so far begin; its first argument starts at *ret_arg. */
static const struct imap_command *begun_command(struct imap_session *s, size_t *ret_arg)
{
	struct gx_arena *a = gx_arena_new(MAX_LINE);
	const struct imap_command *row = NULL;
	const char *start = (const char *)s->in.cmd.data;
	struct imap_parse c;
	struct imap_str tag, name;
	gx_imap__parse_init(&c, start, s->in.cmd.len, a);
	if (a != NULL && gx_imap__tag(&c, &tag) && gx_imap__sp(&c)) {
		bool uid = gx_imap__accept_word(&c, "UID") && gx_imap__sp(&c);
		if (gx_imap__atom(&c, &name))
			row = gx_imap__command(name.s, uid);
		gx_imap__accept_sp(&c);
	}
	*ret_arg = (size_t)(c.p - start);
	gx_arena_free(a);
	return row != NULL && (row->states & s->state) ? row : NULL;
}

static char *with_tag(const struct imap_collect *c, const char *text)
{
	size_t n = 0;
	while (n < c->cmd.len && c->cmd.data[n] > ' ' && c->cmd.data[n] < 0x7f)
		++n;
	size_t len = n + strlen(text) + 8;
	char *r = malloc(len);
	if (r != NULL)
		snprintf(r, len, "%.*s %s\r\n", n == 0 ? 1 : (int)n, n == 0 ? "*" : (const char *)c->cmd.data, text);
	return r;
}

/* A client that waits for "+" gets the answer now; one that does not sends the literal anyway. */
static enum imap_collected refuse(struct imap_session *s, uint64_t n, bool sync, const char *text)
{
	struct imap_collect *c = &s->in;
	if (c->refuse == NULL)
		c->refuse = with_tag(c, text);
	if (c->refuse == NULL || (!sync && n > MAX_SKIP))
		return IMAP_FATAL;
	gx_imap__spool_release(&c->message);
	++s->bad;
	if (sync) {
		gx_push_str(s->out, c->refuse);
		gx_imap__collect_reset(c);
		return IMAP_REFUSED;
	}
	c->phase = IMAP_SKIP_LITERAL;
	c->literal_left = n;
	return IMAP_COMPLETE;
}

static enum imap_collected begin_message(struct imap_session *s, uint64_t n, bool sync)
{
	struct imap_collect *c = &s->in;
	uint64_t most = s->srv->max_literal == 0 ? DEFAULT_MESSAGE : s->srv->max_literal;
	if (c->have_message)
		return refuse(s, n, sync, "BAD One message at a time");
	if (n > most)
		return refuse(s, n, sync, "NO [TOOBIG] Message is larger than this server accepts");
	if (n == 0)
		return refuse(s, n, sync, "NO [CANNOT] Empty message");
	if (gx_imap__spool_begin(&c->message, n, gx_store_dir(s->user->store)) != 0)
		return refuse(s, n, sync, "NO [UNAVAILABLE] No room for the message now");
	c->phase = IMAP_IN_MESSAGE;
	return IMAP_COMPLETE;
}

static enum imap_collected begin_literal(struct imap_session *s, uint64_t n, bool sync, size_t at)
{
	struct imap_collect *c = &s->in;
	size_t arg;
	const struct imap_command *row = begun_command(s, &arg);
	if (row == NULL)
		return refuse(s, n, sync, "BAD Unknown command or not allowed now");
	enum imap_collected r = IMAP_COMPLETE;
	if (row->run == gx_imap__append_run && at != arg)
		r = begin_message(s, n, sync);
	else if (n > MAX_LITERAL || n > command_limit(s) - c->cmd.len)
		r = refuse(s, n, sync, "BAD [TOOBIG] Literal too large");
	else
		c->phase = IMAP_IN_LITERAL;
	if (r != IMAP_COMPLETE || c->phase == IMAP_SKIP_LITERAL)
		return r;
	c->literal_left = n;
	gx_push_str(&c->cmd, "\r\n");
	if (sync)
		imap_puts(s->out, "+ Ready for literal data\r\n");
	return c->cmd.err != 0 ? IMAP_FATAL : IMAP_COMPLETE;
}

/* A whole line stands in cmd, without its end. */
static enum imap_collected line_end(struct imap_session *s)
{
	struct imap_collect *c = &s->in;
	uint64_t n;
	size_t at;
	bool sync;
	if (!s->want_line && line_literal(c, &n, &sync, &at)) {
		if (c->phase == IMAP_SKIP_LINE)
			return refuse(s, n, sync, "BAD");
		return begin_literal(s, n, sync, at);
	}
	if (c->phase == IMAP_SKIP_LINE) {
		gx_push_str(s->out, c->refuse);
		gx_imap__collect_reset(c);
		return IMAP_REFUSED;
	}
	c->complete = c->cmd.len > 0 || s->want_line;
	return IMAP_COMPLETE;
}

static enum imap_collected take_line(struct imap_session *s)
{
	struct imap_collect *c = &s->in;
	const uint8_t *head = gx_iobuf_head(&s->io->in);
	size_t left = gx_iobuf_left(&s->io->in);
	const uint8_t *nl = memchr(head, '\n', left);
	size_t n = nl == NULL ? left : (size_t)(nl - head) + 1;
	if (n > MAX_LINE - (c->cmd.len - c->line) || n > command_limit(s) - c->cmd.len)
		return IMAP_FATAL;
	gx_push_bytes(&c->cmd, head, n);
	gx_iobuf_consume(&s->io->in, n);
	if (c->cmd.err != 0)
		return IMAP_FATAL;
	if (nl == NULL)
		return IMAP_NEED_INPUT;
	--c->cmd.len;
	if (c->cmd.len > c->line && c->cmd.data[c->cmd.len - 1] == '\r')
		--c->cmd.len;
	return line_end(s);
}

static void literal_done(struct imap_collect *c)
{
	if (c->phase == IMAP_SKIP_LITERAL) {
		c->phase = IMAP_SKIP_LINE;
		c->cmd.len = 0;
	} else {
		c->phase = IMAP_IN_LINE;
	}
	c->line = c->cmd.len;
}

static enum imap_collected message_done(struct imap_session *s)
{
	struct imap_collect *c = &s->in;
	if (gx_imap__spool_end(&c->message) != 0)
		return refuse(s, 0, false, "NO [UNAVAILABLE] Message could not be kept");
	c->have_message = true;
	return IMAP_COMPLETE;
}

static enum imap_collected take_literal(struct imap_session *s)
{
	struct imap_collect *c = &s->in;
	const uint8_t *head = gx_iobuf_head(&s->io->in);
	size_t n = gx_iobuf_left(&s->io->in);
	if (n > c->literal_left)
		n = c->literal_left;
	enum imap_collected r = IMAP_COMPLETE;
	c->literal_left -= n;
	if (c->phase == IMAP_IN_LITERAL)
		gx_push_bytes(&c->cmd, head, n);
	else if (c->phase == IMAP_IN_MESSAGE && gx_imap__spool_add(&c->message, head, n) != 0)
		r = refuse(s, c->literal_left, false, "NO [OVERQUOTA] No room for the message");
	gx_iobuf_consume(&s->io->in, n);
	if (r == IMAP_COMPLETE && c->literal_left == 0 && c->phase == IMAP_IN_MESSAGE)
		r = message_done(s);
	if (r == IMAP_COMPLETE && c->literal_left == 0)
		literal_done(c);
	return c->cmd.err != 0 ? IMAP_FATAL : r;
}

enum imap_collected gx_imap__collect(struct imap_session *s, bool may_block)
{
	struct imap_collect *c = &s->in;
	while (!c->complete) {
		bool line = c->phase == IMAP_IN_LINE || c->phase == IMAP_SKIP_LINE;
		if (!line && c->literal_left == 0) {
			literal_done(c);
			continue;
		}
		if (gx_iobuf_left(&s->io->in) == 0)
			return IMAP_NEED_INPUT;
		if (c->phase == IMAP_IN_MESSAGE && c->message.fd >= 0 && !may_block)
			return IMAP_BLOCKS;
		enum imap_collected r = line ? take_line(s) : take_literal(s);
		if (r != IMAP_COMPLETE)
			return r;
	}
	return IMAP_COMPLETE;
}
