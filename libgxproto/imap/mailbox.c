/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mailbox names. The tree is what lies below the IPM subtree; the inbox is INBOX whatever its
 * display name. Names and display names map one to one: a "/" inside a display name is written
 * "%2F", and what would read like that gets one more "25"; a folder at the top that is called
 * like INBOX, but is not the inbox, gets a "%" in front.
 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/imap-int.h"

enum { MAX_LEVELS = 32, MAX_NAME = 255, MAX_PATH = 2000 };

bool gx_imap__is_inbox(const char *name)
{
	return gx_ascii_casecmp(name, "INBOX") == 0;
}

/* Length of "%(25)*2F" at s, 0 when it is not one. */
static size_t escape_len(const char *s, const char *end)
{
	size_t i = 1;
	if (s == end || *s != '%')
		return 0;
	while (end - s >= (ptrdiff_t)i + 2 && s[i] == '2' && s[i + 1] == '5')
		i += 2;
	return end - s >= (ptrdiff_t)i + 2 && s[i] == '2' && (s[i + 1] == 'F' || s[i + 1] == 'f') ? i + 2 : 0;
}

/* "%%%inbox": any number of percent signs. */
static bool like_inbox(const char *s, size_t len)
{
	while (len > 0 && *s == '%') {
		++s;
		--len;
	}
	return len == 5 && gx_ascii_ncasecmp(s, "INBOX", 5) == 0;
}

int gx_imap__name_encode(struct gx_arena *a, const char *display, bool top, char **ret)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	const char *end = display + strlen(display);
	if (top && like_inbox(display, (size_t)(end - display)))
		gx_strbuf_addc(&b, '%');
	while (display < end) {
		size_t n = escape_len(display, end);
		if (n > 0) {
			gx_strbuf_adds(&b, "%25");
			gx_strbuf_add(&b, display + 1, n - 1);
			display += n;
			continue;
		}
		if (*display == '/')
			gx_strbuf_adds(&b, "%2F");
		else
			gx_strbuf_addc(&b, *display);
		++display;
	}
	*ret = b.err == 0 ? gx_arena_strndup(a, gx_strbuf_cstr(&b), b.len) : NULL;
	gx_strbuf_release(&b);
	return *ret == NULL ? GX_E_NOMEM : 0;
}

int gx_imap__name_decode(struct gx_arena *a, const char *part, size_t len, bool top, char **ret)
{
	const char *end = part + len;
	char *d = *ret = gx_arena_alloc(a, len + 1);
	if (d == NULL)
		return GX_E_NOMEM;
	if (top && len > 0 && *part == '%' && like_inbox(part, len))
		++part;
	while (part < end) {
		size_t n = escape_len(part, end);
		if (n == 3) {
			*d++ = '/';
		} else if (n > 3) {
			*d++ = '%';
			memcpy(d, part + 3, n - 3);
			d += n - 3;
		} else {
			*d++ = *part;
			n = 1;
		}
		part += n;
	}
	*d = '\0';
	return 0;
}

/* Next component of *io_name; refuses empty ones and too many levels. */
static gx_ec component(struct gx_arena *a, const char **io_name, unsigned level, char **ret_display)
{
	const char *s = *io_name, *slash = strchr(s, '/');
	size_t len = slash == NULL ? strlen(s) : (size_t)(slash - s);
	if (level >= MAX_LEVELS)
		return gx_ec_from_err(GX_E_LIMIT);
	if (len == 0)
		return GX_EC(ecInvalidParam);
	*io_name = slash == NULL ? s + len : slash + 1;
	return gx_ec_from_err(gx_imap__name_decode(a, s, len, level == 0, ret_display));
}

/* Of a folder to be made: without control characters, [RFC 9051] 5.1, and short. */
static bool good_new_name(const char *display)
{
	size_t n = 0;
	for (; display[n] != '\0'; ++n)
		if ((unsigned char)display[n] < ' ' || display[n] == 0x7f)
			return false;
	return n <= MAX_NAME;
}

static bool first_is_inbox(const char *name)
{
	return gx_ascii_ncasecmp(name, "INBOX", 5) == 0 && (name[5] == '\0' || name[5] == '/');
}

static gx_ec child(struct gx_txn *t, uint64_t parent, bool top, const char *display, uint64_t *ret_fid)
{
	gx_ec ec = gx_folder_by_name(t, parent, display, ret_fid);
	/* the inbox has one name only */
	if (!gx_ec_failed(ec) && top && *ret_fid == GX_FID_INBOX)
		return GX_EC(ecNotFound);
	return ec;
}

gx_ec gx_imap__mailbox_find(struct gx_txn *t, struct gx_arena *a, const char *name, uint64_t *ret_fid)
{
	uint64_t fid = GX_FID_IPMSUBTREE;
	unsigned level = 0;
	if (first_is_inbox(name)) {
		fid = GX_FID_INBOX;
		level = 1;
		name += name[5] == '/' ? 6 : 5;
	}
	if (level == 0 && *name == '\0')
		return GX_EC(ecNotFound);
	while (*name != '\0') {
		char *display;
		gx_ec ec = component(a, &name, level, &display);
		if (gx_ec_failed(ec))
			return GX_EC(ecNotFound);
		ec = child(t, fid, level == 0, display, &fid);
		if (gx_ec_failed(ec))
			return ec;
		++level;
	}
	*ret_fid = fid;
	return GX_EC(ecSuccess);
}

static gx_ec parent_step(struct gx_txn *t, uint64_t *io_fid, bool top, const char *display, bool create)
{
	uint64_t next;
	gx_ec ec = child(t, *io_fid, top, display, &next);
	if (gx_ec_is(ec, ecNotFound) && create && !good_new_name(display))
		return GX_EC(ecInvalidParam);
	if (gx_ec_is(ec, ecNotFound) && create)
		ec = gx_folder_create(t, *io_fid, display, "IPF.Note", GX_FOLDER_GENERIC, NULL, &next);
	if (!gx_ec_failed(ec))
		*io_fid = next;
	return ec;
}

gx_ec gx_imap__mailbox_parent(struct gx_txn *t, struct gx_arena *a, const char *name, bool create, uint64_t *ret_parent,
	const char **ret_leaf)
{
	uint64_t fid = GX_FID_IPMSUBTREE;
	unsigned level = 0;
	if (strlen(name) > MAX_PATH)
		return GX_EC(ecInvalidParam);
	if (first_is_inbox(name) && name[5] == '/') {
		fid = GX_FID_INBOX;
		level = 1;
		name += 6;
	}
	for (;; ++level) {
		char *display;
		gx_ec ec = component(a, &name, level, &display);
		if (gx_ec_failed(ec))
			return ec;
		if (*name == '\0' && !good_new_name(display))
			return GX_EC(ecInvalidParam);
		if (*name == '\0') {
			*ret_parent = fid;
			*ret_leaf = display;
			return GX_EC(ecSuccess);
		}
		ec = parent_step(t, &fid, level == 0, display, create);
		if (gx_ec_failed(ec))
			return ec;
	}
}

static bool holds_mail(const struct gx_folder_info *f)
{
	const char *c = f->container_class;
	if (f->type == GX_FOLDER_SEARCH || f->hidden || f->deleted)
		return false;
	return c == NULL || *c == '\0' || (gx_ascii_ncasecmp(c, "IPF.Note", 8) == 0 && (c[8] == '\0' || c[8] == '.'));
}

static long index_of(const struct gx_folder_info *v, size_t n, uint64_t fid)
{
	while (n > 0)
		if (v[--n].fid == fid)
			return (long)n;
	return -1;
}

static gx_ec full_name(struct gx_arena *a, const struct gx_folder_info *f, const struct imap_mailbox *up, const char **ret)
{
	char *part;
	if (f->fid == GX_FID_INBOX) {
		*ret = "INBOX";
		return GX_EC(ecSuccess);
	}
	if (gx_imap__name_encode(a, f->name == NULL ? "" : f->name, up == NULL, &part) != 0)
		return gx_ec_from_err(GX_E_NOMEM);
	*ret = up == NULL ? part : gx_arena_printf(a, "%s/%s", up->name, part);
	return *ret == NULL ? gx_ec_from_err(GX_E_NOMEM) : GX_EC(ecSuccess);
}

/* Steps that lead to no mail are left out. */
static size_t drop_empty(struct imap_mailbox *m, const struct gx_folder_info *v, size_t n)
{
	size_t k = 0;
	for (size_t i = n; i-- > 0;) {
		long up = index_of(v, i, v[i].parent);
		if (m[i].name == NULL)
			continue;
		if (!m[i].mail && !m[i].children)
			m[i].name = NULL;
		else if (up >= 0)
			m[up].children = true;
	}
	for (size_t i = 0; i < n; ++i)
		if (m[i].name != NULL)
			m[k++] = m[i];
	return k;
}

gx_ec gx_imap__mailbox_list(struct gx_txn *t, struct gx_arena *a, struct imap_mailbox **ret_v, size_t *ret_n)
{
	struct gx_folder_info *v;
	size_t n;
	gx_ec ec = gx_folder_list(t, GX_FID_IPMSUBTREE, true, a, &v, &n);
	if (gx_ec_failed(ec))
		return ec;
	struct imap_mailbox *m = gx_arena_new_array(a, struct imap_mailbox, n + 1);
	if (m == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	for (size_t i = 0; i < n; ++i) {
		long up = v[i].parent == GX_FID_IPMSUBTREE ? -1 : index_of(v, i, v[i].parent);
		if (up < 0 && v[i].parent != GX_FID_IPMSUBTREE)
			continue;
		if ((up >= 0 && m[up].name == NULL) || v[i].name == NULL || *v[i].name == '\0')
			continue;
		m[i].info = &v[i];
		m[i].mail = holds_mail(&v[i]);
		ec = full_name(a, &v[i], up < 0 ? NULL : &m[up], &m[i].name);
		if (gx_ec_failed(ec))
			return ec;
	}
	*ret_n = drop_empty(m, v, n);
	*ret_v = m;
	return GX_EC(ecSuccess);
}

struct match {
	bool *at;             /* at[i]: the pattern so far matches i bytes */
	size_t lo, hi, n;     /* no other is set */
};

static bool is_wild(char c)
{
	return c == '*' || c == '%';
}

static void match_wild(struct match *m, const char *name, char wild)
{
	for (size_t i = m->lo + 1; i <= m->n; ++i) {
		m->at[i] = m->at[i] || (m->at[i - 1] && (wild == '*' || name[i - 1] != '/'));
		if (m->at[i] && i > m->hi)
			m->hi = i;
	}
}

static bool match_char(struct match *m, const char *name, char c)
{
	m->hi = m->hi < m->n ? m->hi + 1 : m->n;
	for (size_t i = m->hi; i > m->lo; --i)
		m->at[i] = m->at[i - 1] && name[i - 1] == c;
	m->at[m->lo] = false;
	while (m->lo < m->hi && !m->at[m->lo])
		++m->lo;
	return m->at[m->lo];
}

/* Greedy with one place to come back to for each wildcard kind would miss "*%"; so a small table. */
bool gx_imap__pattern_match(const char *pattern, const char *name)
{
	struct match m = {.n = strlen(name)};
	size_t plain = 0;
	for (const char *p = pattern; *p != '\0'; ++p)
		plain += !is_wild(*p);
	if (plain > m.n || (m.at = calloc(m.n + 1, sizeof(*m.at))) == NULL)
		return false;
	m.at[0] = true;
	bool ok = true;
	for (char before = '\0'; ok && *pattern != '\0'; ++pattern) {
		if (is_wild(*pattern) && (before == '*' || before == *pattern))
			continue;
		before = *pattern;
		if (is_wild(*pattern))
			match_wild(&m, name, *pattern);
		else
			ok = match_char(&m, name, *pattern);
	}
	ok = ok && m.at[m.n];
	free(m.at);
	return ok;
}
