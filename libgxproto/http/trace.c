/* SPDX-License-Identifier: Apache-2.0 */
/* All that comes and goes, line by line, for who looks for a fault (http_debug). Credentials are left out. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/http/conn.h"

enum { TEXT_MOST = 800, ESCAPE = 4 };

struct direction {
	char text[TEXT_MOST + 1];
	size_t n;
	bool hidden;     /* the line has credentials */
	bool continued;  /* it is too long for one */
};

struct http_trace {
	struct direction d[2];
	size_t seen;     /* bytes of the input that were there the last time */
};

static bool has_credentials(const char *text)
{
	static const char *const names[] = {"authorization:", "proxy-authorization:"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); ++i)
		if (gx_ascii_ncasecmp(text, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void say(const struct http_conn *c, struct direction *d, bool out)
{
	char line[TEXT_MOST + 100];
	d->text[d->n] = '\0';
	d->hidden |= !d->continued && has_credentials(d->text);
	snprintf(line, sizeof(line), "http [%llu] %s %s %s", (unsigned long long)c->io->id, c->io->peer, out ? "<" : ">",
		!d->hidden ? d->text : d->continued ? "(left out)" : "Authorization: (left out)");
	c->h->o.trace(line, c->h->o.trace_ctx);
	d->n = 0;
}

static void end_line(const struct http_conn *c, struct direction *d, bool out)
{
	if (d->n > 0 || !d->continued)
		say(c, d, out);
	d->hidden = d->continued = false;
}

static void add(const struct http_conn *c, bool out, const uint8_t *p, size_t len)
{
	struct direction *d = &c->trace->d[out], *other = &c->trace->d[!out];
	if (len > 0 && other->n > 0)
		end_line(c, other, !out);
	for (size_t i = 0; i < len; ++i) {
		if (p[i] == '\n') {
			end_line(c, d, out);
		} else if (p[i] >= ' ' && p[i] < 0x7f) {
			d->text[d->n++] = (char)p[i];
		} else if (p[i] != '\r') {
			d->n += (size_t)snprintf(d->text + d->n, ESCAPE + 1, "\\x%02x", p[i]);
		}
		if (d->n > TEXT_MOST - ESCAPE) {
			say(c, d, out);
			d->continued = true;
		}
	}
}

void gx_http__trace_in(struct http_conn *c)
{
	if (c->trace == NULL)
		c->trace = calloc(1, sizeof(*c->trace));
	size_t left = gx_iobuf_left(&c->io->in);
	if (c->trace != NULL && left > c->trace->seen)
		add(c, false, gx_iobuf_head(&c->io->in) + c->trace->seen, left - c->trace->seen);
}

void gx_http__trace_out(struct http_conn *c, size_t before)
{
	if (c->trace == NULL)
		return;
	c->trace->seen = gx_iobuf_left(&c->io->in);
	if (c->io->out.len > before)
		add(c, true, c->io->out.data + before, c->io->out.len - before);
	if (c->trace->d[true].n > 0)
		end_line(c, &c->trace->d[true], true);
}

