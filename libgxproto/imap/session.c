/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

enum { MAX_BAD = 20, MAX_BAD_NOAUTH = 8, ARENA_MOST = 64 * 1024 * 1024 };

static void *new_session(struct gx_io *io, void *ctx)
{
	struct imap_session *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->srv = ctx;
	s->io = io;
	s->wake_io = io;
	s->state = IMAP_NOAUTH;
	s->in.message.fd = -1;
	atomic_init(&s->idling, false);
	return s;
}

static void end_command(struct imap_session *s)
{
	if (s->release != NULL)
		s->release(s->args);
	s->release = NULL;
	s->args = NULL;
	s->row = NULL;
	s->tag = NULL;
	s->on_line = NULL;
	s->uid_form = s->on_loop = s->want_line = false;
	gx_imap__collect_reset(&s->in);
	if (s->arena != NULL)
		gx_arena_reset(s->arena);
}

static void free_session(void *self)
{
	struct imap_session *s = self;
	atomic_store(&s->idling, false);
	end_command(s);
	gx_imap__unselect(s);
	gx_imap__user_free(s);
	gx_arena_free(s->arena);
	free(s);
}

static void bye(struct imap_session *s, const char *why)
{
	imap_puts(s->out, "* BYE ");
	gx_push_str(s->out, why);
	imap_puts(s->out, "\r\n");
	s->closing = true;
}

static void greet(struct imap_session *s)
{
	s->greeted = true;
	imap_puts(s->out, "* OK [");
	gx_imap__put_capabilities(s);
	imap_puts(s->out, "] ");
	gx_push_str(s->out, s->srv->hostname == NULL ? "server" : s->srv->hostname);
	imap_puts(s->out, " ready\r\n");
}

/* Reads the collected command: tag, name, arguments. On a complaint the answer is written. */
static bool parse_command(struct imap_session *s)
{
	struct imap_parse c;
	struct imap_str tag, name;
	gx_imap__parse_init(&c, (const char *)s->in.cmd.data, s->in.cmd.len, s->arena);
	c.utf8_names = s->rev2;
	if (!gx_imap__tag(&c, &tag)) {
		gx_imap__bad(s, "%s", c.err);
		return false;
	}
	s->tag = tag.s;
	if (!gx_imap__accept_sp(&c)) {
		gx_imap__bad(s, "Command missing");
		return false;
	}
	s->uid_form = gx_imap__accept_word(&c, "UID") && gx_imap__sp(&c);
	s->row = gx_imap__atom(&c, &name) ? gx_imap__command(name.s, s->uid_form) : NULL;
	if (s->row == NULL) {
		gx_imap__bad(s, "Unknown command");
		return false;
	}
	if (!(s->row->states & s->state)) {
		gx_imap__bad(s, s->state == IMAP_NOAUTH ? "Log in first" : s->row->states == IMAP_NOAUTH ?
			"Already logged in" : "Select a mailbox first");
		return false;
	}
	if ((s->row->parse != NULL && !s->row->parse(s, &c)) || !gx_imap__end(&c)) {
		gx_imap__bad(s, "%s", c.err == NULL ? "Syntax error" : c.err);
		return false;
	}
	s->on_loop = s->on_loop || (s->row->flags & IMAP_F_LOOP);
	/* what changed is reported by the command that comes along, and that takes a worker */
	if (s->on_loop && s->sel != NULL && s->row->run != gx_imap__unselect_run && gx_imap__view_stale(s))
		s->on_loop = false;
	if (!s->in.have_message)
		gx_imap__collect_reset(&s->in);
	return true;
}

/* What to do now that a command, or a step of one, returned. */
static enum gx_want after(struct imap_session *s, enum imap_result r)
{
	switch (r) {
	case IMAP_DONE:
		end_command(s);
		if (s->bad >= (s->user == NULL ? MAX_BAD_NOAUTH : MAX_BAD))
			bye(s, "Too many invalid commands");
		if (s->sel != NULL && s->sel->gone)
			bye(s, "The selected mailbox was deleted");
		return s->closing ? GX_WANT_CLOSE : GX_WANT_AGAIN;
	case IMAP_MORE:
		return GX_WANT_AGAIN;
	case IMAP_LINE:
		s->want_line = true;
		gx_imap__collect_reset(&s->in);
		return GX_WANT_AGAIN;
	case IMAP_DELAY:
		s->delaying = true;
		return GX_WANT_WAIT;
	case IMAP_STARTTLS:
		end_command(s);
		/* what came behind the command in clear text is not to be trusted, [RFC 9051] 6.2.1 */
		gx_iobuf_consume(&s->io->in, gx_iobuf_left(&s->io->in));
		return GX_WANT_STARTTLS;
	case IMAP_CLOSE:
		break;
	}
	end_command(s);
	s->closing = true;
	return GX_WANT_CLOSE;
}

static enum gx_want run_line(struct imap_session *s)
{
	gx_push_u8(&s->in.cmd, 0);
	if (s->in.cmd.err != 0)
		return after(s, IMAP_CLOSE);
	s->want_line = false;
	enum imap_result (*fn)(struct imap_session *, char *, size_t) = s->on_line;
	return after(s, fn(s, (char *)s->in.cmd.data, s->in.cmd.len - 1));
}

/* The next command or line. GX_WANT_AGAIN: there is something to run. */
static enum gx_want next_input(struct imap_session *s, bool may_block)
{
	switch (gx_imap__collect(s, may_block)) {
	case IMAP_NEED_INPUT:
		return GX_WANT_INPUT;
	case IMAP_BLOCKS:
		return GX_WANT_WORKER;
	case IMAP_FATAL:
		bye(s, "Command too large");
		return GX_WANT_CLOSE;
	case IMAP_REFUSED:
		return after(s, IMAP_DONE);
	case IMAP_COMPLETE:
		break;
	}
	if (s->want_line)
		return run_line(s);
	if (!parse_command(s))
		return after(s, IMAP_DONE);
	return GX_WANT_AGAIN;
}

static bool idle_news(const struct imap_session *s)
{
	return atomic_load(&s->idling) && s->sel != NULL && gx_imap__view_stale(s);
}

static enum gx_want tell_idler(struct imap_session *s)
{
	gx_imap__view_refresh(s, true);
	if (s->sel->gone) {
		bye(s, "The selected mailbox was deleted");
		return GX_WANT_CLOSE;
	}
	return GX_WANT_AGAIN;
}

static enum gx_want advance(struct imap_session *s, bool may_block)
{
	bool stay = true;
	while (!s->closing) {
		if (s->out->err != 0)
			return GX_WANT_CLOSE;
		if (s->out->len + s->io->out_pending > s->io->out_high)
			return may_block ? GX_WANT_AGAIN : GX_WANT_DRAIN;
		if (!stay)
			return may_block ? GX_WANT_AGAIN : GX_WANT_WORKER;
		if (s->arena == NULL && (s->arena = gx_arena_new(ARENA_MOST)) == NULL)
			return GX_WANT_CLOSE;
		enum gx_want w;
		if (idle_news(s)) {
			if (!may_block)
				return GX_WANT_WORKER;
			w = tell_idler(s);
		} else if (s->row == NULL || s->want_line) {
			w = next_input(s, may_block);
		} else if (!s->on_loop && !may_block) {
			return GX_WANT_WORKER;
		} else {
			enum imap_result r = s->row->run(s);
			stay = r != IMAP_MORE;
			w = after(s, r);
		}
		if (w != GX_WANT_AGAIN)
			return w;
	}
	return GX_WANT_CLOSE;
}

/*
 * When the connection ends by itself. Before the login the time counts from the greeting, not from
 * the last byte, so that nobody keeps a place by sending a byte now and then.
 */
static int64_t deadline(struct imap_session *s)
{
	int64_t now = gx_clock_mono_ms(s->io->clock);
	if (s->delaying)
		return now + s->delay_ms;
	if (s->user != NULL)
		return now + (s->srv->autologout_ms != 0 ? s->srv->autologout_ms : 30 * 60 * 1000);
	if (s->login_by_ms == 0)
		s->login_by_ms = now + (s->srv->conn_timeout_ms != 0 ? s->srv->conn_timeout_ms : 3 * 60 * 1000);
	return s->login_by_ms;
}

/* An idle connection keeps no memory but its session. */
static enum gx_want rest(struct imap_session *s, enum gx_want w)
{
	s->io->deadline_ms = deadline(s);
	if (w == GX_WANT_INPUT && s->row == NULL) {
		gx_arena_free(s->arena);
		s->arena = NULL;
	}
	return w;
}

/* May an untagged answer stand here? */
static bool between(const struct imap_session *s)
{
	return s->row == NULL || s->want_line;
}

static void timed_out(struct imap_session *s)
{
	if (between(s))
		bye(s, s->user == NULL ? "Too slow" : "Autologout");
	s->closing = true; /* inside an answer that nobody takes there is nothing to say */
}

static enum gx_want imap_step(void *self, struct gx_io *io)
{
	struct imap_session *s = self;
	s->io = io;
	s->out = &io->out;
	s->tls = (io->events & GX_IO_TLS) != 0;
	if (!s->greeted)
		greet(s);
	if (s->delaying) {
		if (!(io->events & GX_IO_TIMEOUT))
			return GX_WANT_WAIT;
		s->delaying = false;
		enum gx_want w = after(s, gx_imap__login_failed(s));
		if (w != GX_WANT_AGAIN)
			return rest(s, w);
	} else if (io->events & GX_IO_TIMEOUT) {
		timed_out(s);
	}
	if (between(s) && (io->events & GX_IO_SHUTDOWN) && !s->closing)
		bye(s, "Server is going down");
	enum gx_want w = advance(s, false);
	if (w == GX_WANT_INPUT && (io->events & GX_IO_EOF))
		w = GX_WANT_CLOSE;
	return rest(s, w);
}

static enum gx_want imap_work(void *self, struct gx_io *io)
{
	struct imap_session *s = self;
	s->io = io;
	s->out = &io->out;
	enum gx_want w = advance(s, true);
	if (w == GX_WANT_INPUT && (io->events & GX_IO_EOF))
		w = GX_WANT_CLOSE;
	return rest(s, w);
}

static const struct gx_engine_ops ops = {"imap", imap_step, imap_work, free_session};

void gx_imap_factory(struct gx_engine_factory *ret_f, const struct gx_imap_server *srv)
{
	*ret_f = (struct gx_engine_factory){&ops, new_session, (void *)srv};
}
