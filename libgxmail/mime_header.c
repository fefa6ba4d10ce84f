/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields: from bytes to name and value, and what the Content- fields say about a part. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxmail/mime-int.h"

/* Length of a field name, 0 when the line is no field; *ret_colon is behind it. [RFC 5322] 2.2, 4.5 */
static size_t name_length(const uint8_t *f, size_t n, size_t *ret_colon)
{
	size_t i = 0;
	while (i < n && f[i] > ' ' && f[i] != ':' && f[i] != 0x7f)
		++i;
	size_t name = i;
	while (i < n && (f[i] == ' ' || f[i] == '\t'))
		++i;
	if (name == 0 || i == n || f[i] != ':')
		return 0;
	*ret_colon = i;
	return name;
}

static bool is_mbox_line(const uint8_t *line, size_t n)
{
	size_t skip = n != 0 && line[0] == '>';
	return n - skip >= 5 && memcmp(line + skip, "From ", 5) == 0;
}

bool gx_mime__looks_like_field(const uint8_t *line, size_t n)
{
	size_t colon;
	return name_length(line, n, &colon) != 0 || is_mbox_line(line, n);
}

static bool has_8bit(const uint8_t *s, size_t n)
{
	uint64_t bits = 0, w;
	for (; n >= sizeof(w); n -= sizeof(w), s += sizeof(w)) {
		memcpy(&w, s, sizeof(w));
		bits |= w;
	}
	for (; n != 0; --n)
		bits |= *s++;
	return (bits & UINT64_C(0x8080808080808080)) != 0;
}

/* Copies without line ends, and without white space at both ends. @return the length. */
static size_t unfold(char *out, const uint8_t *s, size_t n)
{
	char *o = out;
	const uint8_t *end = s + n;
	while (s < end) {
		while (o == out && s < end && (*s == ' ' || *s == '\t'))
			++s;
		const uint8_t *nl = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)((nl == NULL ? end : nl) - s);
		const uint8_t *next = nl == NULL ? end : nl + 1;
		if (nl != NULL && len != 0 && s[len - 1] == '\r')
			--len;
		memcpy(o, s, len);
		o += len;
		s = next;
	}
	while (o > out && (o[-1] == ' ' || o[-1] == '\t'))
		--o;
	*o = '\0';
	return (size_t)(o - out);
}

static void replace_nuls(char *s, size_t n)
{
	for (char *z = memchr(s, '\0', n); z != NULL; z = memchr(s, '\0', n)) {
		*z = '?';
		n -= (size_t)(z - s);
		s = z;
	}
}

int gx_mime__field_add(struct gx_arena *a, const uint8_t *f, size_t n, uint64_t off,
	struct gx_mime_header ***io_tail, uint32_t *io_flags)
{
	size_t colon = 0, name = name_length(f, n, &colon), skip = name == 0 ? 0 : colon + 1;
	struct gx_mime_header *h = gx_arena_alloc(a, sizeof(*h) + name + 1 + (n - skip) + 1);
	if (h == NULL)
		return GX_E_NOMEM;
	char *s = (char *)(h + 1);
	memcpy(s, f, name);
	s[name] = '\0';
	size_t len = unfold(s + name + 1, f + skip, n - skip);
	if (memchr(f, '\0', n) != NULL) {
		replace_nuls(s + name + 1, len);
		*io_flags |= GX_MIME_NUL;
	}
	if (has_8bit(f, n))
		*io_flags |= GX_MIME_8BIT_HEADER;
	*h = (struct gx_mime_header){.name = s, .value = s + name + 1, .off = off, .len = n};
	**io_tail = h;
	*io_tail = &h->next;
	return 0;
}

const struct gx_mime_header *gx_mime__find_field(const struct gx_mime_header *h, const char *name)
{
	for (; h != NULL; h = h->next)
		if (((h->name[0] ^ name[0]) & 0xdf) == 0 && gx_ascii_casecmp(h->name, name) == 0)
			return h;
	return NULL;
}

const struct gx_mime_header *gx_mime_header(const struct gx_mime_part *p, const char *name)
{
	return gx_mime__find_field(p->headers, name);
}

/* The Content- fields of one part; the first of each name counts. */
struct content {
	const char *type, *cte, *id, *description, *disposition, *language, *location, *md5;
};

static void content_collect(const struct gx_mime_header *h, struct content *c)
{
	const struct {
		const char *name;
		const char **value;
	} fields[] = {
		{"type", &c->type}, {"transfer-encoding", &c->cte}, {"id", &c->id},
		{"description", &c->description}, {"disposition", &c->disposition},
		{"language", &c->language}, {"location", &c->location}, {"md5", &c->md5},
	};
	for (; h != NULL; h = h->next) {
		if ((h->name[0] | 0x20) != 'c' || gx_ascii_ncasecmp(h->name, "content-", 8) != 0)
			continue;
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); ++i) {
			if (gx_ascii_casecmp(h->name + 8, fields[i].name) != 0)
				continue;
			if (*fields[i].value == NULL)
				*fields[i].value = h->value;
			break;
		}
	}
}

static uint8_t cte_from_name(const char *name)
{
	static const struct {
		const char *name;
		uint8_t cte;
	} names[] = {
		{"7bit", GX_CTE_7BIT}, {"8bit", GX_CTE_8BIT}, {"binary", GX_CTE_BINARY},
		{"base64", GX_CTE_BASE64}, {"quoted-printable", GX_CTE_QP},
		{"x-uuencode", GX_CTE_UUENCODE}, {"uuencode", GX_CTE_UUENCODE},
		{"x-uue", GX_CTE_UUENCODE}, {"uue", GX_CTE_UUENCODE},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
		if (gx_ascii_casecmp(name, names[i].name) == 0)
			return names[i].cte;
	return GX_CTE_UNKNOWN;
}

static void describe_encoding(struct gx_arena *a, struct gx_mime_part *p, const char *value)
{
	value = gx_mime__skip_cfws(value);
	p->cte_name = gx_mime__token(a, &value, false);
	p->cte = p->cte_name == NULL ? GX_CTE_7BIT : cte_from_name(p->cte_name);
}

/* The value without white space at its end. */
static const char *trimmed(struct gx_arena *a, const char *s)
{
	size_t n = strlen(s);
	while (n != 0 && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
		--n;
	return n == 0 ? NULL : s[n] == '\0' ? s : gx_arena_strndup(a, s, n);
}

static void default_type(struct gx_mime_part *p)
{
	bool digest = p->parent != NULL && strcmp(p->parent->type, "multipart") == 0 &&
		strcmp(p->parent->subtype, "digest") == 0;
	p->type = digest ? "message" : "text"; /* [RFC 2046] 5.1.5 */
	p->subtype = digest ? "rfc822" : "plain";
}

/* [RFC 2045] 5.1; what has no slash is text/plain with these parameters, 5.2. */
static int describe_type(struct gx_arena *a, struct gx_mime_part *p, const char *value,
	unsigned *io_params, const char **ret_boundary)
{
	default_type(p);
	if (value == NULL)
		return 0;
	const char *s = gx_mime__skip_cfws(value);
	const char *type = gx_mime__token(a, &s, true), *subtype = NULL;
	s = gx_mime__skip_cfws(s);
	if (*s == '/') {
		s = gx_mime__skip_cfws(s + 1);
		subtype = gx_mime__token(a, &s, true);
	}
	if (type != NULL && subtype != NULL) {
		p->type = type;
		p->subtype = subtype;
	} else {
		p->type = "text";
		p->subtype = "plain";
	}
	struct gx_mime_rawparam *raw;
	int r = gx_mime__params_raw(a, s, io_params, &raw);
	if (r == 0 && strcmp(p->type, "multipart") == 0) {
		struct gx_mime_param *joined;
		r = gx_mime__params_joined(a, raw, &joined);
		if (r == 0)
			*ret_boundary = gx_mime_param(joined, "boundary");
	}
	return r != 0 ? r : gx_mime__params_decode(a, raw, &p->params);
}

static int describe_disposition(struct gx_arena *a, struct gx_mime_part *p, const char *value,
	unsigned *io_params)
{
	if (value == NULL)
		return 0;
	const char *s = gx_mime__skip_cfws(value);
	p->disposition = gx_mime__token(a, &s, true);
	struct gx_mime_rawparam *raw;
	int r = gx_mime__params_raw(a, s, io_params, &raw);
	return r != 0 ? r : gx_mime__params_decode(a, raw, &p->disp_params);
}

int gx_mime__part_describe(struct gx_arena *a, struct gx_mime_part *p, unsigned *io_params,
	const char **ret_boundary)
{
	struct content c = {0};
	content_collect(p->headers, &c);
	const char *boundary = NULL;
	int r = describe_type(a, p, c.type, io_params, &boundary);
	if (r == 0)
		r = describe_disposition(a, p, c.disposition, io_params);
	if (r != 0)
		return r;
	if (c.cte != NULL)
		describe_encoding(a, p, c.cte);
	p->content_id = c.id == NULL ? NULL : trimmed(a, c.id);
	p->description = c.description;
	p->location = c.location == NULL ? NULL : trimmed(a, c.location);
	p->md5 = c.md5 == NULL ? NULL : trimmed(a, c.md5);
	p->language = c.language == NULL ? NULL : trimmed(a, c.language);
	if (strcmp(p->type, "multipart") != 0)
		return 0;
	if (boundary != NULL)
		boundary = trimmed(a, boundary);
	if (boundary == NULL) {
		p->flags |= GX_MIME_NO_BOUNDARY;
		p->type = "text";
		p->subtype = "plain";
	}
	*ret_boundary = boundary;
	return 0;
}
