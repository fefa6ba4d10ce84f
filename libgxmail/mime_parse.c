/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines, boundaries, headers and bodies: the machine that turns bytes into a tree of offsets.
 *
 * It works on a window of contiguous bytes: the caller's own, or, between two pieces, a buffer
 * that holds the unfinished header field or the beginning of a line. What a line is depends on
 * its first LINE_HEAD bytes only, so any cutting into pieces gives the same tree.
 */
#include <config.h>
#include <assert.h>
#include <string.h>
#include "libgxmail/mime-int.h"

#define BOUNDARY_MAX 250                   /* [RFC 2046] 5.1.1 allows 70; compared as a prefix */
#define LINE_HEAD (2 + BOUNDARY_MAX + 2)
#define DEPTH_MAX 1000                     /* what walks the tree by recursion relies on it */
#define HEADER_PIECE 16384                 /* most bytes added to the buffer at a time */
#define NO_FIELD UINT64_MAX
#define PARAMS_MAX 100000                  /* of a message: what it takes to describe its parts */
#define FIELDS_FACTOR 10                   /* header fields of a message: so many times those of a part */

enum state {
	ST_HEADER,
	ST_BODY,
	ST_DELIMITER, /* rest of a delimiter line; a part begins behind its end */
};

struct frame {
	struct gx_mime_part *part;
	const char *boundary; /* NULL: none to look for (any more) */
	size_t boundary_len;
	uint64_t lines_before;
};

struct gx_mime_parser {
	struct gx_arena *arena;
	struct gx_mime_limits lim;
	struct gx_mime_part *root;
	struct frame *frames; /* open parts, the innermost last */
	size_t depth, frames_cap;
	unsigned boundaries; /* frames that have one */
	uint32_t n_parts;
	enum state state;
	int err;

	/* the header being read */
	struct gx_mime_header **header_tail;
	uint64_t field_off;
	uint32_t n_headers;
	uint64_t fields_left; /* in the whole message */
	unsigned params_left;
	bool header_full, first_line;

	/* the line being read */
	bool in_line;      /* its beginning has been looked at */
	uint8_t eol_len;   /* of the last line end */
	uint8_t prev;      /* the byte before the window */
	uint64_t lines;    /* line ends so far */

	/* bytes kept between two pieces */
	uint64_t off;      /* of the window in the message */
	size_t scanned;    /* bytes of the window without anything new */
	uint8_t *buf;
	size_t buf_len, buf_cap;
};

/* The window of one run. */
struct window {
	const uint8_t *base, *end;
	bool last;
};

static uint64_t offset_of(const struct gx_mime_parser *p, const struct window *w, const uint8_t *at)
{
	return p->off + (uint64_t)(at - w->base);
}

static struct gx_mime_part *current(struct gx_mime_parser *p)
{
	return p->frames[p->depth - 1].part;
}

static void link_part(struct gx_mime_part *parent, struct gx_mime_part *part)
{
	part->parent = parent;
	if (parent == NULL)
		return;
	if (parent->last_child == NULL)
		parent->first_child = part;
	else
		parent->last_child->next = part;
	parent->last_child = part;
}

static void open_part(struct gx_mime_parser *p, uint64_t off)
{
	struct frame *f = gx_arena_grow(p->arena, p->frames, &p->frames_cap, p->depth + 1, sizeof(*f));
	struct gx_mime_part *part = gx_arena_new_obj(p->arena, struct gx_mime_part);
	if (f == NULL || part == NULL) {
		p->err = GX_E_NOMEM;
		return;
	}
	link_part(p->depth == 0 ? NULL : f[p->depth - 1].part, part);
	part->hdr_off = off;
	p->frames = f;
	p->frames[p->depth++] = (struct frame){.part = part};
	++p->n_parts;
	p->header_tail = &part->headers;
	p->n_headers = 0;
	p->header_full = false;
	p->first_line = true;
	p->field_off = NO_FIELD;
	p->state = ST_HEADER;
}

/* @p eol: bytes of the line end before @p end that belong to the delimiter. */
static void close_frame(struct gx_mime_parser *p, uint64_t end, unsigned eol)
{
	struct frame *f = &p->frames[--p->depth];
	struct gx_mime_part *part = f->part;
	part->body_lines = p->lines - f->lines_before;
	if (part->body_lines != 0 && eol != 0) {
		--part->body_lines;
		end -= eol;
	}
	part->body_len = end - part->body_off;
	if (f->boundary != NULL) {
		part->flags |= GX_MIME_NO_END;
		--p->boundaries;
	}
}

static void drop_boundary(struct gx_mime_parser *p, struct frame *f)
{
	f->boundary = NULL;
	--p->boundaries;
}

/* [RFC 2046] 5.2.1 forbids an encoding of message/rfc822; such a body is not looked into. */
static bool is_identity(uint8_t cte)
{
	return cte != GX_CTE_QP && cte != GX_CTE_BASE64 && cte != GX_CTE_UUENCODE;
}

static void enter_body(struct gx_mime_parser *p, struct gx_mime_part *part, const char *boundary)
{
	struct frame *f = &p->frames[p->depth - 1];
	bool message = gx_mime__is_message(part) && is_identity(part->cte);
	if (boundary == NULL && !message)
		return;
	if (p->depth >= p->lim.max_depth || (message && p->n_parts >= p->lim.max_parts)) {
		part->flags |= GX_MIME_TRUNCATED;
		return;
	}
	if (message) {
		open_part(p, part->body_off);
		return;
	}
	f->boundary = boundary;
	f->boundary_len = strnlen(boundary, BOUNDARY_MAX);
	++p->boundaries;
}

static void end_field(struct gx_mime_parser *p, const struct window *w, uint64_t end)
{
	uint64_t from = p->field_off;
	if (from == NO_FIELD)
		return;
	p->field_off = NO_FIELD;
	if (p->n_headers >= p->lim.max_headers || p->fields_left == 0) {
		current(p)->flags |= GX_MIME_TRUNCATED;
		return;
	}
	++p->n_headers;
	--p->fields_left;
	int r = gx_mime__field_add(p->arena, w->base + (from - p->off), (size_t)(end - from), from,
		&p->header_tail, &current(p)->flags);
	if (r != 0)
		p->err = r;
}

/* The header of the current part is complete; its body begins at @p body. */
static void end_header(struct gx_mime_parser *p, uint64_t body)
{
	struct frame *f = &p->frames[p->depth - 1];
	struct gx_mime_part *part = f->part;
	const char *boundary = NULL;
	part->hdr_len = body - part->hdr_off;
	part->body_off = body;
	f->lines_before = p->lines;
	p->state = ST_BODY;
	int r = gx_mime__part_describe(p->arena, part, &p->params_left, &boundary);
	if (r != 0)
		p->err = r;
	else
		enter_body(p, part, boundary);
}

/* Ends the header that is cut off at @p at, and those of messages that would begin there. */
static void cut_headers(struct gx_mime_parser *p, const struct window *w, uint64_t at)
{
	while (p->state == ST_HEADER && p->err == 0) {
		end_field(p, w, at);
		end_header(p, at);
	}
}

/*
 * [RFC 2046] 5.1.1: the boundary need only begin the line. Of several that do, the longest is
 * meant, and of equal ones the innermost. @return its frame or NULL.
 */
static struct frame *find_boundary(struct gx_mime_parser *p, const uint8_t *line, size_t n)
{
	struct frame *best = NULL;
	for (size_t i = p->depth; i-- > 0;) {
		struct frame *f = &p->frames[i];
		if (f->boundary == NULL || f->boundary_len > n - 2)
			continue;
		if (best != NULL && best->boundary_len >= f->boundary_len)
			continue;
		if (memcmp(line + 2, f->boundary, f->boundary_len) == 0)
			best = f;
	}
	return best;
}

static void at_boundary(struct gx_mime_parser *p, const struct window *w, struct frame *f,
	const uint8_t *line, size_t n)
{
	size_t keep = (size_t)(f - p->frames) + 1, len = 2 + f->boundary_len;
	bool closing = n - len >= 2 && line[len] == '-' && line[len + 1] == '-';
	uint64_t at = offset_of(p, w, line);
	cut_headers(p, w, at);
	if (p->err != 0)
		return;
	while (p->depth > keep)
		close_frame(p, at, p->eol_len);
	f = &p->frames[keep - 1];
	p->in_line = true;
	p->state = ST_DELIMITER;
	if (!closing && p->n_parts < p->lim.max_parts)
		return;
	if (!closing)
		f->part->flags |= GX_MIME_TRUNCATED;
	drop_boundary(p, f);
	p->state = ST_BODY;
}

/* The line feed that ends the current line, seen in the window. */
static const uint8_t *end_line(struct gx_mime_parser *p, const struct window *w, const uint8_t *nl)
{
	uint8_t before = nl > w->base ? nl[-1] : p->prev;
	p->eol_len = before == '\r' ? 2 : 1;
	if (p->eol_len == 1 && p->state != ST_DELIMITER)
		current(p)->flags |= GX_MIME_BARE_LF;
	++p->lines;
	p->in_line = false;
	return nl + 1;
}

/* A line may be judged: it ends within the window, or enough of it is there. */
static bool head_complete(const struct window *w, const uint8_t *line, size_t *ret_n)
{
	size_t n = (size_t)(w->end - line);
	if (n > LINE_HEAD)
		n = LINE_HEAD;
	const uint8_t *nl = memchr(line, '\n', n);
	if (nl == NULL && n < LINE_HEAD && !w->last)
		return false;
	*ret_n = nl == NULL ? n : (size_t)(nl - line) + 1;
	return true;
}

/* Body lines that cannot be delimiters. @return where a line must be looked at, or the end. */
static const uint8_t *skip_lines(struct gx_mime_parser *p, const struct window *w, const uint8_t *line)
{
	const uint8_t *end = w->end;
	bool look = p->boundaries != 0, bare = false;
	uint8_t eol = p->eol_len;
	uint64_t lines = 0;
	while (line < end) {
		if (look && line[0] == '-' && (end - line < 2 || line[1] == '-'))
			break;
		const uint8_t *nl = memchr(line, '\n', (size_t)(end - line));
		if (nl == NULL) {
			p->in_line = true;
			line = end;
			break;
		}
		eol = nl > line && nl[-1] == '\r' ? 2 : 1;
		bare |= eol == 1;
		++lines;
		line = nl + 1;
	}
	p->eol_len = eol;
	p->lines += lines;
	if (bare)
		current(p)->flags |= GX_MIME_BARE_LF;
	return line;
}

static void note_nul(struct gx_mime_part *part, const uint8_t *from, const uint8_t *to)
{
	if ((part->flags & GX_MIME_NUL) == 0 && memchr(from, '\0', (size_t)(to - from)) != NULL)
		part->flags |= GX_MIME_NUL;
}

/* The rest of a line whose beginning was in an earlier window or has been judged. */
static const uint8_t *rest_of_line(struct gx_mime_parser *p, const struct window *w, const uint8_t *pos)
{
	const uint8_t *nl = memchr(pos, '\n', (size_t)(w->end - pos));
	const uint8_t *to = nl == NULL ? w->end : end_line(p, w, nl);
	if (p->state == ST_BODY)
		note_nul(current(p), pos, to);
	else if (nl != NULL)
		open_part(p, offset_of(p, w, to));
	return to;
}

/* @return where it stopped; the same place when more bytes are needed. */
static const uint8_t *run_body(struct gx_mime_parser *p, const struct window *w, const uint8_t *pos)
{
	if (p->in_line)
		return rest_of_line(p, w, pos);
	const uint8_t *line = skip_lines(p, w, pos);
	note_nul(current(p), pos, line);
	if (line == w->end || p->in_line)
		return line;
	size_t n;
	if (!head_complete(w, line, &n))
		return line;
	struct frame *f = n >= 2 ? find_boundary(p, line, n) : NULL;
	if (f != NULL)
		at_boundary(p, w, f, line, n);
	else
		p->in_line = true;
	return line;
}

static void header_overflow(struct gx_mime_parser *p)
{
	current(p)->flags |= GX_MIME_TRUNCATED;
	p->header_full = true;
	p->field_off = NO_FIELD;
}

/* A message may begin with some line of junk; a part that begins so lacks its empty line. */
static bool begins_header(const struct gx_mime_parser *p, const uint8_t *line, size_t n)
{
	bool is_message = p->depth == 1 || p->frames[p->depth - 2].boundary == NULL;
	return gx_mime__looks_like_field(line, n) || (is_message && memchr(line, ':', n) != NULL);
}

/* Beginning of a header line. @return false when the line does not belong to the header. */
static bool begin_header_line(struct gx_mime_parser *p, const struct window *w, const uint8_t *line,
	size_t n)
{
	uint64_t at = offset_of(p, w, line);
	bool first = p->first_line;
	p->first_line = false;
	if (p->boundaries != 0 && n >= 2 && line[0] == '-' && line[1] == '-') {
		struct frame *f = find_boundary(p, line, n);
		if (f != NULL) {
			at_boundary(p, w, f, line, n);
			return false;
		}
	}
	if ((line[0] == ' ' || line[0] == '\t') && !first)
		return true;
	if (first && !begins_header(p, line, n)) {
		end_header(p, at);
		return false;
	}
	end_field(p, w, at);
	if (!p->header_full)
		p->field_off = at;
	return true;
}

static bool is_blank(const uint8_t *line, size_t n)
{
	return line[n - 1] == '\n' && (n == 1 || (n == 2 && line[0] == '\r'));
}

static const uint8_t *run_header(struct gx_mime_parser *p, const struct window *w, const uint8_t *pos)
{
	if (!p->in_line) {
		size_t n;
		if (!head_complete(w, pos, &n))
			return pos;
		if (is_blank(pos, n)) {
			uint64_t at = offset_of(p, w, pos);
			pos = end_line(p, w, pos + n - 1);
			end_field(p, w, at);
			end_header(p, at + n);
			return pos;
		}
		if (!begin_header_line(p, w, pos, n))
			return pos;
		p->in_line = true;
	}
	const uint8_t *nl = memchr(pos, '\n', (size_t)(w->end - pos));
	pos = nl == NULL ? w->end : end_line(p, w, nl);
	if (!p->header_full && offset_of(p, w, pos) - current(p)->hdr_off > p->lim.max_header_bytes)
		header_overflow(p);
	return pos;
}

/* @return the number of bytes at the front of the window that are not needed again. */
static size_t run(struct gx_mime_parser *p, const uint8_t *base, size_t len, bool last)
{
	struct window w = {.base = base, .end = base + len, .last = last};
	const uint8_t *pos = base + p->scanned;
	while (pos < w.end && p->err == 0) {
		enum state state = p->state;
		bool in_line = p->in_line;
		size_t depth = p->depth;
		const uint8_t *from = pos;
		pos = state == ST_HEADER ? run_header(p, &w, pos) : run_body(p, &w, pos);
		if (pos == from && state == p->state && in_line == p->in_line && depth == p->depth)
			break;
	}
	if (last)
		cut_headers(p, &w, offset_of(p, &w, w.end));
	size_t used = (size_t)(pos - base);
	if (p->state == ST_HEADER && p->field_off != NO_FIELD)
		used = (size_t)(p->field_off - p->off);
	p->scanned = (size_t)(pos - base) - used;
	if (used != 0)
		p->prev = base[used - 1];
	p->off += used;
	return used;
}

static void buffer_add(struct gx_mime_parser *p, const uint8_t *data, size_t n)
{
	if (n == 0)
		return;
	size_t cap = p->buf == NULL && n < 512 ? 512 : p->buf_len + n;
	p->buf = gx_arena_grow(p->arena, p->buf, &p->buf_cap, cap, 1);
	if (p->buf == NULL) {
		p->err = GX_E_NOMEM;
		return;
	}
	memcpy(p->buf + p->buf_len, data, n);
	p->buf_len += n;
}

/* Joins the next line, or a part of it, with what is kept. @return the bytes taken. */
static size_t feed_buffered(struct gx_mime_parser *p, const uint8_t *data, size_t len)
{
	size_t most = p->state == ST_HEADER ? HEADER_PIECE : LINE_HEAD;
	size_t n = len < most ? len : most;
	const uint8_t *nl = memchr(data, '\n', n);
	if (nl != NULL)
		n = (size_t)(nl - data) + 1;
	buffer_add(p, data, n);
	if (p->err != 0)
		return n;
	size_t used = run(p, p->buf, p->buf_len, false);
	p->buf_len -= used;
	memmove(p->buf, p->buf + used, p->buf_len);
	return n;
}

static void parser_init(struct gx_mime_parser *p, struct gx_arena *a, const struct gx_mime_limits *lim)
{
	memset(p, 0, sizeof(*p));
	p->arena = a;
	if (lim != NULL)
		p->lim = *lim;
	if (p->lim.max_parts == 0)
		p->lim.max_parts = 10000;
	if (p->lim.max_depth == 0)
		p->lim.max_depth = 100;
	else if (p->lim.max_depth > DEPTH_MAX)
		p->lim.max_depth = DEPTH_MAX;
	if (p->lim.max_header_bytes == 0)
		p->lim.max_header_bytes = 2U << 20;
	if (p->lim.max_headers == 0)
		p->lim.max_headers = 10000;
	p->fields_left = (uint64_t)p->lim.max_headers * FIELDS_FACTOR;
	p->params_left = PARAMS_MAX;
	open_part(p, 0);
	if (p->err == 0)
		p->root = current(p);
}

struct gx_mime_parser *gx_mime_parser_new(struct gx_arena *a, const struct gx_mime_limits *lim)
{
	struct gx_mime_parser *p = gx_arena_new_obj(a, struct gx_mime_parser);
	if (p == NULL)
		return NULL;
	parser_init(p, a, lim);
	return p->err == 0 ? p : NULL;
}

int gx_mime_parser_feed(struct gx_mime_parser *p, const void *data, size_t len)
{
	const uint8_t *d = data;
	if (p->root == NULL)
		return GX_E_STATE;
	while (len != 0 && p->err == 0) {
		size_t n;
		if (p->buf_len != 0) {
			n = feed_buffered(p, d, len);
		} else {
			n = run(p, d, len, false);
			buffer_add(p, d + n, len - n);
			n = len;
		}
		d += n;
		len -= n;
	}
	return p->err;
}

int gx_mime_parser_finish(struct gx_mime_parser *p, struct gx_mime_part **ret_root)
{
	static const uint8_t none[1];
	if (p->root == NULL)
		return GX_E_STATE;
	if (p->err == 0) {
		const uint8_t *left = p->buf_len == 0 ? none : p->buf;
		p->buf_len -= run(p, left, p->buf_len, true);
		assert(p->err != 0 || p->buf_len == 0);
	}
	while (p->err == 0 && p->depth != 0)
		close_frame(p, p->off, 0);
	if (p->err != 0)
		return p->err;
	*ret_root = p->root;
	p->root = NULL;
	return 0;
}

int gx_mime_parse(struct gx_arena *a, const struct gx_mime_limits *lim, const void *data, size_t len,
	struct gx_mime_part **ret_root)
{
	struct gx_mime_parser p;
	parser_init(&p, a, lim);
	if (p.err == 0 && len != 0)
		(void)run(&p, data, len, true);
	if (p.err != 0)
		return p.err;
	return gx_mime_parser_finish(&p, ret_root);
}
