/* SPDX-License-Identifier: Apache-2.0 */
/* LDIF [RFC 2849], as ldapsearch writes it. */
#include <config.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <gx/abktjson.h>
#include <gx/codec.h>

struct reader {
	const char *p, *end;
	unsigned line;
	struct gx_arena *a;        /* of one line */
	struct gx_strbuf text, dn;
};

/* The next line with those that continue it, without comments. False: the end. */
static bool next_line(struct reader *r)
{
	gx_strbuf_clear(&r->text);
	while (r->p < r->end) {
		const char *nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
		const char *end = nl == NULL ? r->end : nl;
		size_t n = (size_t)(end - r->p);
		bool more = *r->p == ' ';
		n -= n > 0 && r->p[n - 1] == '\r';
		gx_strbuf_add(&r->text, r->p + more, n - (more && n > 0));
		r->p = nl == NULL ? r->end : nl + 1;
		++r->line;
		if (r->p >= r->end || *r->p != ' ')
			return true;
	}
	return false;
}

static int value_of(struct reader *r, const char *colon, struct gx_bin *ret_v)
{
	const char *s = colon + 1;
	bool coded = *s == ':';
	s += coded;
	s += strspn(s, " ");
	*ret_v = (struct gx_bin){(const uint8_t *)s, strlen(s)};
	return coded ? gx_base64_dec(r->a, s, strlen(s), ret_v) : 0;
}

static int take_line(struct reader *r, gx_ldif_cb *cb, void *ctx)
{
	const char *s = gx_strbuf_cstr(&r->text), *colon = strchr(s, ':');
	struct gx_bin v;
	if (*s == '\0')
		gx_strbuf_clear(&r->dn);
	if (*s == '\0' || *s == '#' || *s == '-' || (colon != NULL && colon[1] == '<'))
		return 0;
	if (colon == NULL || colon == s)
		return GX_E_FORMAT;
	const char *name = gx_arena_strndup(r->a, s, (size_t)(colon - s));
	int err = name == NULL ? GX_E_NOMEM : value_of(r, colon, &v);
	if (err != 0)
		return err;
	if (strcasecmp(name, "dn") != 0)
		return cb(gx_strbuf_cstr(&r->dn), name, v, ctx);
	gx_strbuf_clear(&r->dn);
	gx_strbuf_add(&r->dn, v.data, v.len);
	return r->dn.err;
}

int gx_ldif_read(const char *text, size_t len, gx_ldif_cb *cb, void *ctx, unsigned *ret_line)
{
	struct reader r = {text, text + len, 0, gx_arena_new(0), GX_STRBUF_INIT, GX_STRBUF_INIT};
	int err = r.a == NULL ? GX_E_NOMEM : 0;
	while (err == 0 && next_line(&r)) {
		err = r.text.err != 0 ? r.text.err : take_line(&r, cb, ctx);
		gx_arena_reset(r.a);
	}
	*ret_line = r.line;
	gx_strbuf_release(&r.text);
	gx_strbuf_release(&r.dn);
	gx_arena_free(r.a);
	return err;
}

/* The value of a name at the beginning of a DN, of letters that a file's name may have. */
static const char *rdn(struct gx_arena *a, const char **io_dn)
{
	const char *eq = strchr(*io_dn, '=');
	if (eq == NULL)
		return "x";
	size_t n = strcspn(eq + 1, ",");
	char *s = gx_arena_strndup(a, eq + 1, n);
	for (char *p = s; p != NULL && *p != '\0'; ++p)
		if (!isalnum((unsigned char)*p) && *p != '_')
			*p = '_';
	*io_dn = eq + 1 + n + (eq[1 + n] == ',');
	return s;
}

const char *gx_ldif_template_name(struct gx_arena *a, const char *dn, const char *attribute)
{
	size_t n = strcspn(attribute, ";"); /* options follow: ";binary" */
	const char *name = gx_arena_strndup(a, attribute, n), *type, *lcid;
	if (name == NULL || strcasestr(name, "DisplayTable") == NULL || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != n)
		return NULL;
	type = rdn(a, &dn);
	lcid = rdn(a, &dn);
	return type == NULL || lcid == NULL ? NULL : gx_arena_printf(a, "%s-%s-%s.abk", lcid, type, name);
}
