/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of a message as byte ranges of the original, [RFC 3501] 6.4.5. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/fetch-int.h"

enum { FIRST_READ = 4 * 1024, REMEMBERED = 8, MAX_REMEMBERED_NAME = 40 };

/* Clients fetch a part piece by piece: where it lies is remembered, so that the message is parsed once. */
struct imap_parts {
	uint32_t uid; /* not the message: a new content of it has a new one */
	unsigned n, next;
	struct {
		char part[MAX_REMEMBERED_NAME];
		enum imap_section_kind section;
		uint64_t off, len;
		bool none;
	} v[REMEMBERED];
};

/* Length of the header with its empty line; 0 when its end is not in there. */
static size_t header_end(const uint8_t *p, size_t n)
{
	size_t line = 0;
	while (line < n) {
		const uint8_t *nl = memchr(p + line, '\n', n - line);
		if (nl == NULL)
			return 0;
		size_t next = (size_t)(nl - p) + 1;
		if (next - line == 1 || (next - line == 2 && p[line] == '\r'))
			return next;
		line = next;
	}
	return 0;
}

/* Reads as much as it takes to see the end of the header. */
static gx_ec read_header(struct gx_txn *t, uint64_t mid, struct gx_push *b, uint64_t *ret_len)
{
	for (uint64_t want = FIRST_READ;; want *= 8) {
		gx_push_clear(b);
		gx_ec ec = gx_msg_original(t, mid, 0, want, b);
		if (!gx_ec_failed(ec) && b->err != 0)
			ec = gx_ec_from_err(b->err);
		if (gx_ec_failed(ec))
			return ec;
		size_t n = header_end(b->data, b->len);
		if (n != 0 || b->len < want) {
			*ret_len = n != 0 ? n : b->len;
			return ec;
		}
	}
}

static gx_ec parse_whole(struct imap_fetch *f, struct gx_txn *t, uint64_t mid)
{
	if (f->root != NULL)
		return GX_EC(ecSuccess);
	if (f->scratch == NULL && (f->scratch = gx_arena_new(0)) == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	gx_push_clear(&f->whole);
	gx_ec ec = gx_msg_original(t, mid, 0, UINT64_MAX, &f->whole);
	if (gx_ec_failed(ec))
		return ec;
	if (f->whole.err != 0)
		return gx_ec_from_err(f->whole.err);
	return gx_ec_from_err(gx_mime_parse(f->scratch, NULL, f->whole.data, f->whole.len, &f->root));
}

static bool range_of(const struct gx_mime_part *p, enum imap_section_kind k, uint64_t *ret_off, uint64_t *ret_len)
{
	if (p == NULL)
		return false;
	if (k == IMAP_SEC_ALL) {
		*ret_off = p->body_off;
		*ret_len = p->body_len;
		return true;
	}
	if (k != IMAP_SEC_MIME) { /* of the message inside */
		bool message = strcmp(p->type, "message") == 0 && p->first_child != NULL;
		if (!message)
			return false;
		p = p->first_child;
	}
	if (k == IMAP_SEC_TEXT) {
		*ret_off = p->hdr_off + p->hdr_len;
		*ret_len = p->body_off + p->body_len - *ret_off;
	} else {
		*ret_off = p->hdr_off;
		*ret_len = p->hdr_len;
	}
	return true;
}

static gx_ec find_part(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, uint64_t mid,
	const struct imap_item *it, uint64_t *ret_off, uint64_t *ret_len, bool *ret_none)
{
	struct imap_parts *m = s->sel->parts;
	enum imap_section_kind k = it->section == IMAP_SEC_FIELDS || it->section == IMAP_SEC_FIELDS_NOT ? IMAP_SEC_HEADER : it->section;
	for (unsigned i = 0; m != NULL && m->uid == f->info.uid && i < m->n; ++i) {
		if (m->v[i].section == k && strcmp(m->v[i].part, it->part) == 0) {
			*ret_off = m->v[i].off;
			*ret_len = m->v[i].len;
			*ret_none = m->v[i].none;
			return GX_EC(ecSuccess);
		}
	}
	gx_ec ec = parse_whole(f, t, mid);
	if (gx_ec_failed(ec))
		return ec;
	*ret_off = *ret_len = 0;
	*ret_none = !range_of(gx_mime_part_by_number(f->root, it->part), k, ret_off, ret_len);
	if (m == NULL)
		m = s->sel->parts = calloc(1, sizeof(*m));
	if (m == NULL || strlen(it->part) >= MAX_REMEMBERED_NAME)
		return ec;
	if (m->uid != f->info.uid)
		*m = (struct imap_parts){.uid = f->info.uid};
	unsigned i = m->next++ % REMEMBERED;
	m->n = m->next < REMEMBERED ? m->next : REMEMBERED;
	memcpy(m->v[i].part, it->part, strlen(it->part) + 1);
	m->v[i].section = k;
	m->v[i].off = *ret_off;
	m->v[i].len = *ret_len;
	m->v[i].none = *ret_none;
	return ec;
}

gx_ec gx_imap__section_range(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, uint64_t mid,
	const struct imap_item *it, uint64_t *ret_off, uint64_t *ret_len, bool *ret_none)
{
	*ret_off = *ret_len = 0;
	*ret_none = false;
	if (*it->part != '\0')
		return find_part(s, f, t, mid, it, ret_off, ret_len, ret_none);
	uint64_t size = 0, header = 0;
	if (it->section == IMAP_SEC_FIELDS || it->section == IMAP_SEC_FIELDS_NOT)
		return GX_EC(ecSuccess); /* gx_imap__section_fields() looks for the end itself */
	if (it->section == IMAP_SEC_ALL || it->section == IMAP_SEC_TEXT) {
		struct gx_msg_mime m;
		gx_ec ec = gx_msg_mime(t, mid, &m);
		if (gx_ec_failed(ec))
			return ec;
		size = m.size;
	}
	if (it->section != IMAP_SEC_ALL) {
		struct gx_push b = GX_PUSH_INIT;
		gx_ec ec = read_header(t, mid, &b, &header);
		gx_push_release(&b);
		if (gx_ec_failed(ec))
			return ec;
	}
	bool text = it->section == IMAP_SEC_TEXT;
	*ret_off = text ? header : 0;
	*ret_len = it->section == IMAP_SEC_ALL ? size : text ? size - header : header;
	return GX_EC(ecSuccess);
}

/* Does the field that begins this line belong into the answer? */
static bool wanted(const struct imap_item *it, const uint8_t *line, size_t n)
{
	size_t len = 0;
	while (len < n && line[len] != ':' && line[len] != '\r' && line[len] != '\n')
		++len;
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		--len;
	bool listed = false;
	for (size_t i = 0; i < it->field_count && !listed; ++i)
		listed = it->fields[i].len == len && gx_ascii_ncasecmp(it->fields[i].s, (const char *)line, len) == 0;
	return listed == (it->section == IMAP_SEC_FIELDS);
}

static void filter(const struct imap_item *it, const uint8_t *p, size_t n, struct gx_push *out)
{
	bool take = false;
	for (size_t line = 0; line < n;) {
		const uint8_t *nl = memchr(p + line, '\n', n - line);
		size_t next = nl == NULL ? n : (size_t)(nl - p) + 1;
		size_t len = next - line;
		if (p[line] == '\n' || (len == 2 && p[line] == '\r' && p[line + 1] == '\n'))
			break;
		if (p[line] != ' ' && p[line] != '\t')
			take = wanted(it, p + line, len);
		if (take)
			gx_push_bytes(out, p + line, len);
		line = next;
	}
	imap_puts(out, "\r\n");
}

gx_ec gx_imap__section_fields(struct gx_txn *t, uint64_t mid, const struct imap_item *it, uint64_t off, uint64_t len,
	struct gx_push *out)
{
	struct gx_push b = GX_PUSH_INIT;
	gx_ec ec = *it->part == '\0' ? read_header(t, mid, &b, &len) : gx_msg_original(t, mid, off, len, &b);
	if (!gx_ec_failed(ec))
		filter(it, b.data, len < b.len ? len : b.len, out);
	if (!gx_ec_failed(ec) && (b.err != 0 || out->err != 0))
		ec = gx_ec_from_err(GX_E_NOMEM);
	gx_push_release(&b);
	return ec;
}

/* Decoded bytes of a part; *ret_none: there is none, or it cannot be decoded. */
static gx_ec decoded(struct imap_fetch *f, struct gx_txn *t, uint64_t mid, const struct imap_item *it,
	struct gx_bin *ret, bool *ret_none)
{
	gx_ec ec = parse_whole(f, t, mid);
	if (gx_ec_failed(ec))
		return ec;
	const struct gx_mime_part *p = gx_mime_part_by_number(f->root, it->part);
	*ret_none = p == NULL;
	if (*it->part == '\0') {
		*ret = (struct gx_bin){f->whole.data, f->whole.len};
		*ret_none = false;
		return ec;
	}
	if (p == NULL)
		return ec;
	*ret = (struct gx_bin){f->whole.data + p->body_off, p->body_len};
	if (p->cte == GX_CTE_UNKNOWN) {
		f->unknown_cte = *ret_none = true;
		return ec;
	}
	if (p->first_child != NULL || (p->cte != GX_CTE_QP && p->cte != GX_CTE_BASE64 && p->cte != GX_CTE_UUENCODE))
		return ec;
	return gx_ec_from_err(gx_decode(f->scratch, p->cte, ret->data, ret->len, ret));
}

gx_ec gx_imap__put_binary(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, uint64_t mid,
	const struct imap_item *it)
{
	struct gx_bin bin = {0};
	bool none = false;
	gx_ec ec = decoded(f, t, mid, it, &bin, &none);
	if (gx_ec_failed(ec))
		return ec;
	gx_push_str(s->out, it->label);
	if (it->kind == IMAP_ITEM_BINARY_SIZE) {
		imap_puts(s->out, " ");
		gx_imap__put_u64(s->out, none ? 0 : bin.len);
		return ec;
	}
	if (none) {
		imap_puts(s->out, " NIL");
		return ec;
	}
	uint64_t skip = !it->partial ? 0 : it->off < bin.len ? it->off : bin.len;
	uint64_t n = it->partial && it->most < bin.len - skip ? it->most : bin.len - skip;
	const uint8_t *p = n == 0 ? NULL : bin.data + skip;
	gx_push_str(s->out, n > 0 && memchr(p, 0, n) != NULL ? " ~{" : " {");
	gx_imap__put_u64(s->out, n);
	imap_puts(s->out, "}\r\n");
	gx_push_bytes(s->out, p, n);
	return ec;
}
