/* SPDX-License-Identifier: Apache-2.0 */
/* Operations as they are: hexadecimal in, decoded out. */
#include <config.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <gx/rop.h>
#include "tools/mapi.h"

enum { HANDLES = 16, ANSWERED_MAX = 256 };

struct session {
	struct tool *t;
	uint32_t handles[HANDLES];         /* the first is the store's */
	struct gx_columns columns[HANDLES]; /* of tables, as they were set */
	struct gx_arena *keep;             /* these */
	/* of one line: rows in the answers */
	struct gx_columns asked[ANSWERED_MAX];
	unsigned asked_n;
};

static struct gx_dctx context(struct gx_arena *a, const struct gx_columns *cols)
{
	return (struct gx_dctx){.px = GX_PX_ROP(a, 1252), .custom = cols};
}

/* Rows are of the columns that a request names, or that the table was given before. */
static void note_columns(struct session *s, const struct gx_rop_request *q)
{
	uint8_t h = q->handle[0];
	struct gx_columns cols = {0};
	if (h < HANDLES)
		cols = s->columns[h];
	if (q->desc->id == RopGetPropertiesSpecific) {
		const struct gx_rop_get_properties_specific_req *g = q->body;
		cols = (struct gx_columns){g->property_tags, g->property_tags_count};
	} else if (q->desc->id == RopSetColumns && h < HANDLES) {
		const struct gx_rop_set_columns_req *g = q->body;
		gx_proptag_t *copy = gx_arena_memdup(s->keep, g->property_tags, g->property_tags_count * sizeof(*copy));
		if (copy != NULL)
			s->columns[h] = (struct gx_columns){copy, g->property_tags_count};
	}
	if (q->desc->id != RopRelease && s->asked_n < ANSWERED_MAX)
		s->asked[s->asked_n++] = cols;
}

static int show_requests(struct session *s, struct gx_arena *a, struct gx_bin rops)
{
	struct gx_strbuf text = GX_STRBUF_INIT;
	struct gx_dctx x = context(a, NULL);
	struct gx_pull c;
	s->asked_n = 0;
	gx_pull_init(&c, rops.data, rops.len);
	while (c.left > 0 && c.err == 0) {
		struct gx_rop_request q;
		size_t at = (size_t)(c.p - c.start);
		gx_rop_pull_request_head(&c, &q);
		if (c.err == 0)
			gx_rop_pull_request_body(&c, &x, &q);
		if (c.err != 0) {
			complain("byte %zu: this is no operation: %s", at, gx_strerror(c.err));
			break;
		}
		note_columns(s, &q);
		gx_strbuf_adds(&text, "> ");
		gx_rop_print_request(&text, &x, &q);
		gx_strbuf_addc(&text, '\n');
	}
	fputs(gx_strbuf_cstr(&text), stdout);
	gx_strbuf_release(&text);
	return c.err == 0 ? EXIT_OK : EXIT_USAGE;
}

static int show_answers(struct session *s, struct gx_arena *a, struct gx_bin rops)
{
	struct gx_strbuf text = GX_STRBUF_INIT;
	struct gx_pull c;
	unsigned n = 0;
	gx_pull_init(&c, rops.data, rops.len);
	while (c.left > 0 && c.err == 0) {
		struct gx_rop_response r;
		gx_rop_pull_response_head(&c, &r);
		bool is_answer = c.err == 0 && gx_rop_is_answer(r.desc);
		struct gx_dctx x = context(a, is_answer && n < s->asked_n ? &s->asked[n] : NULL);
		n += is_answer;
		if (c.err == 0)
			gx_rop_pull_response_body(&c, &x, &r);
		if (c.err != 0)
			break;
		gx_strbuf_adds(&text, "< ");
		gx_rop_print_response(&text, &x, &r);
		gx_strbuf_addc(&text, '\n');
	}
	fputs(gx_strbuf_cstr(&text), stdout);
	gx_strbuf_release(&text);
	if (c.err != 0)
		complain("the answer cannot be read: %s", gx_strerror(c.err));
	return c.err == 0 ? EXIT_OK : EXIT_FAILED;
}

static int exchange(struct session *s, struct gx_arena *a, struct gx_bin rops)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_rop_buffer b = {rops, s->handles, HANDLES};
	struct gx_bin in, answer;
	gx_rop_buffer_push(&out, &b);
	int err = gx_push_finish(&out, a, &in);
	gx_push_release(&out);
	if (err != 0) {
		complain("%s", gx_strerror(err));
		return EXIT_FAILED;
	}
	gx_ec ec = gx_mapi_execute(s->t->c, in, a, &answer);
	if (gx_ec_failed(ec))
		return mapi_failed(s->t, ec, NULL);
	err = gx_rop_buffer_pull(answer.data, answer.len, a, &b);
	if (err != 0) {
		complain("the answer cannot be read: %s", gx_strerror(err));
		return EXIT_FAILED;
	}
	for (uint32_t i = 0; i < b.handle_count && i < HANDLES; ++i)
		s->handles[i] = b.handles[i];
	int rc = show_answers(s, a, b.rops);
	fflush(stdout);
	return rc;
}

/* Digits in pairs; white space anywhere. */
static int parse_hex(struct gx_arena *a, const char *text, struct gx_bin *ret_b)
{
	uint8_t *out = gx_arena_alloc(a, strlen(text) / 2 + 1);
	size_t n = 0;
	for (const char *p = text; out != NULL && *p != '\0';) {
		char pair[3] = {p[0], 0, 0};
		if (isspace((unsigned char)*p)) {
			++p;
			continue;
		}
		pair[1] = p[1];
		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1])) {
			complain("these are no hexadecimal digits: %.20s", p);
			return EXIT_USAGE;
		}
		out[n++] = (uint8_t)strtoul(pair, NULL, 16);
		p += 2;
	}
	*ret_b = (struct gx_bin){out, n};
	return out == NULL ? EXIT_FAILED : EXIT_OK;
}

static int one_line(struct session *s, const char *text)
{
	struct gx_bin rops;
	struct gx_arena *a = gx_arena_new(0);
	int rc = a == NULL ? EXIT_FAILED : parse_hex(a, text, &rops);
	if (rc == EXIT_OK)
		rc = show_requests(s, a, rops);
	if (rc == EXIT_OK)
		rc = exchange(s, a, rops);
	gx_arena_free(a);
	return rc;
}

int mapi_rop(struct tool *t)
{
	struct session s = {.t = t, .keep = t->a};
	char *line = NULL;
	size_t size = 0;
	int rc = EXIT_OK;
	if (!t->hex) {
		complain("operations are given in hexadecimal: say --hex");
		return EXIT_USAGE;
	}
	memset(s.handles, 0xff, sizeof(s.handles));
	s.handles[0] = gx_mapi_source(t->store);
	for (int i = 0; i < t->argc && rc == EXIT_OK; ++i)
		rc = one_line(&s, t->argv[i]);
	while (t->argc == 0 && rc == EXIT_OK && getline(&line, &size, stdin) > 0)
		rc = one_line(&s, line);
	free(line);
	return rc;
}
