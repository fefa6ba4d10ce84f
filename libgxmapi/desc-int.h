/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DESC_INT_H
#define GX_DESC_INT_H
/* What the engines over field tables share. */
#include <gx/desc.h>

/* One structure under way: the numbers that conditions and bounds refer to, by field. */
struct gx_desc_frame {
	const struct gx_desc *d;
	const struct gx_dctx *x;
	uint64_t val[GX_DESC_MAX_FIELDS];
};

bool gx_desc__cond(const struct gx_desc_frame *fr, const struct gx_cond *c);
/* Fills val from an object. */
void gx_desc__load(struct gx_desc_frame *fr, const struct gx_desc *d, const struct gx_dctx *x, const void *obj);
/* The next field that is there, from *io_i on; NULL at the end. *io_i is then its index plus one. */
const struct gx_field *gx_desc__next(const struct gx_desc_frame *fr, unsigned *io_i);

bool gx_desc__is_number(const struct gx_field *f);
uint64_t gx_desc__get(const struct gx_field *f, const void *member);
void gx_desc__set(const struct gx_field *f, void *member, uint64_t v);
/* Byte runs and texts whose size stands with each element; other sizes bound the whole field. */
bool gx_desc__is_sized(const struct gx_field *f);
/* A text with its zero, or a restriction, in a size of its own: the size 0 means that it is not there (NULL). */
bool gx_desc__may_lack(const struct gx_field *f);
/* The value of a member; NULL when it is optional and not there. */
const void *gx_desc__value(const struct gx_field *f, const void *member);
/* Least bytes that one value of the field takes. */
size_t gx_desc__least(const struct gx_field *f);
/* sizeof the member, or of an array's element. */
size_t gx_desc__elem(const struct gx_field *f);
/* An array's first element. */
const char *gx_desc__elems(const struct gx_field *f, const void *obj);
uint32_t gx_desc__count(const struct gx_field *f, const void *obj);
/* Within min and max of the field? */
bool gx_desc__fits(const struct gx_field *f, uint64_t n);
/* Is this field's text UTF-16? */
bool gx_desc__is_wide(const struct gx_desc_frame *fr, const struct gx_field *f);

void gx_desc__print_propval(struct gx_strbuf *b, const struct gx_propval *pv);
bool gx_desc__equal_propval(const struct gx_propval *x, const struct gx_propval *y);
void gx_desc__print_proplist(struct gx_strbuf *b, const struct gx_proplist *l);
bool gx_desc__equal_proplist(const struct gx_proplist *x, const struct gx_proplist *y);
struct gx_proplist gx_desc__random_proplist(uint32_t (*next)(void *rnd), void *rnd, struct gx_arena *a);

#endif
