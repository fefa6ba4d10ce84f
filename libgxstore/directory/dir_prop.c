/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of users: numbers as decimal text, texts, bytes in the other column; a list has a row for each value. */
#include <config.h>
#include "libgxstore/directory/dir-int.h"

enum { VALUE_MOST = 4096, VALUES_MOST = 256 };

struct put {
	char key[GX_DIR_ADDR_MAX + 1];
	gx_proptag_t tag;
	const union gx_value *v; /* NULL: none */
	uint32_t n;
	uint16_t type;           /* of each */
};

static int64_t number_of(uint16_t type, const union gx_value *v)
{
	switch (type) {
	case PtypBoolean:
		return v->b;
	case PtypInteger16:
		return v->i16;
	case PtypInteger32:
		return v->i32;
	case PtypTime:
		return (int64_t)v->time;
	}
	return v->i64;
}

static int add_value(struct gx_dirconn *c, int64_t id, const struct put *p, uint32_t i)
{
	const struct gx_dirarg none = GX_TEXT(NULL);
	char number[32];
	snprintf(number, sizeof(number), "%lld", (long long)number_of(p->type, &p->v[i]));
	const struct gx_bin bin = p->type != PtypBinary || p->v[i].bin.len == 0 ? (struct gx_bin){(const uint8_t *)"", 0} : p->v[i].bin; /* not NULL */
	const struct gx_dirarg bytes = GX_BYTES(bin), text = GX_TEXT(p->type == PtypString ? p->v[i].str : number);
	bool binary = p->type == PtypBinary;
	return gx_dir__exec(c, GX_DQ_PROP_ADD, GX_ARGS(GX_NUM(id), GX_NUM(p->tag), GX_NUM(i + 1), binary ? bytes : none, binary ? none : text));
}

static int put_prop(struct gx_dirconn *c, void *ctx)
{
	const struct put *p = ctx;
	int64_t id;
	int err = gx_dir__first(c, GX_DQ_USER_ID, GX_ARGS(GX_NAME(p->key)), &id);
	if (err == 0)
		err = gx_dir__exec(c, GX_DQ_PROP_FORGET, GX_ARGS(GX_NUM(id), GX_NUM(p->tag)));
	for (uint32_t i = 0; err == 0 && i < p->n; ++i)
		err = add_value(c, id, p, i);
	return err;
}

static int check(const struct put *p)
{
	switch (p->type) {
	case PtypBoolean: case PtypInteger16: case PtypInteger32: case PtypInteger64: case PtypTime:
		return p->tag & 0x1000 ? GX_E_UNSUP : 0;
	case PtypString: case PtypBinary:
		break;
	default:
		return GX_E_UNSUP;
	}
	if (p->n > VALUES_MOST)
		return GX_E_LIMIT;
	for (uint32_t i = 0; i < p->n; ++i)
		if ((p->type == PtypString ? strlen(p->v[i].str) : p->v[i].bin.len) > VALUE_MOST)
			return GX_E_LIMIT;
	return 0;
}

int gx_dir_put_prop(struct gx_dir *d, const char *username, gx_proptag_t tag, const union gx_value *v)
{
	bool many = GX_PROP_TYPE(tag) & 0x1000;
	struct put p = {.tag = tag, .type = GX_PROP_TYPE(tag) & 0x0fff, .v = v, .n = v != NULL};
	if (d == NULL || username == NULL)
		return GX_E_INVAL;
	if (v != NULL && many) {
		p.v = v->mv.v;
		p.n = v->mv.count;
	}
	int err = check(&p);
	if (err != 0)
		return err;
	return gx_dir__normalise(username, p.key) != 0 ? GX_E_NOTFOUND : gx_dir__write(d, put_prop, &p);
}
