/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/guids.h>
#include <gx/msgobj.h>

size_t gx_subject_prefix(const char *subject)
{
	const char *p = subject, *end = subject + strlen(subject);
	for (unsigned n = 0; n < 4 && p < end; ++n) {
		uint32_t c = gx_utf8_next(&p, end);
		if (c == ':')
			return n > 0 && p[0] == ' ' && p[1] != '\0' ? (size_t)(p - subject) + 1 : 0;
		if (c == ' ' || (c >= '0' && c <= '9'))
			return 0;
	}
	return 0;
}

struct gx_msgobj *gx_msgobj_new(struct gx_arena *a)
{
	return gx_arena_new_obj(a, struct gx_msgobj);
}

struct gx_proplist *gx_msgobj_add_rcpt(struct gx_msgobj *m, struct gx_arena *a)
{
	struct gx_proplist *v = gx_arena_grow(a, m->rcpts, &m->rcpt_cap, m->rcpt_count + 1, sizeof(*v));
	if (v == NULL)
		return NULL;
	m->rcpts = v;
	v[m->rcpt_count] = (struct gx_proplist){0};
	return &v[m->rcpt_count++];
}

struct gx_attach *gx_msgobj_add_attach(struct gx_msgobj *m, struct gx_arena *a)
{
	struct gx_attach *v = gx_arena_grow(a, m->atts, &m->att_cap, m->att_count + 1, sizeof(*v));
	if (v == NULL)
		return NULL;
	m->atts = v;
	v[m->att_count] = (struct gx_attach){0};
	return &v[m->att_count++];
}

bool gx_propname_equal(const struct gx_propname *x, const struct gx_propname *y)
{
	if (x->by_name != y->by_name || gx_guid_cmp(&x->set, &y->set) != 0)
		return false;
	if (!x->by_name)
		return x->lid == y->lid;
	/* header fields have no case, [MS-OXCMAIL] 2.1.3.1 */
	if (gx_guid_cmp(&x->set, &PS_INTERNET_HEADERS) == 0)
		return gx_ascii_casecmp(x->name, y->name) == 0;
	return strcmp(x->name, y->name) == 0;
}

static struct gx_named_propval *find(const struct gx_msgobj *m, const struct gx_propname *n)
{
	for (size_t i = 0; i < m->named_count; ++i)
		if (gx_propname_equal(&m->named[i].name, n))
			return &m->named[i];
	return NULL;
}

int gx_msgobj_set_named(struct gx_msgobj *m, struct gx_arena *a, const struct gx_propname *n, uint16_t type, union gx_value v)
{
	if (n->by_name && n->name == NULL)
		return GX_E_INVAL;
	struct gx_named_propval *p = find(m, n);
	if (p == NULL) {
		struct gx_named_propval *grown = gx_arena_grow(a, m->named, &m->named_cap, m->named_count + 1, sizeof(*grown));
		if (grown == NULL)
			return GX_E_NOMEM;
		m->named = grown;
		p = &grown[m->named_count++];
	}
	*p = (struct gx_named_propval){.name = *n, .type = type, .v = v};
	return 0;
}

const struct gx_named_propval *gx_msgobj_get_named(const struct gx_msgobj *m, const struct gx_propname *n)
{
	return find(m, n);
}
