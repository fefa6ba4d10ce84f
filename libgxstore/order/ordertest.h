/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sort orders share: one store, and random texts. */
#ifndef GXSTORE_ORDERTEST_H
#define GXSTORE_ORDERTEST_H
#include <gx/charset.h>
#include "libgxstore/order/order-int.h"
#include "libgxstore/storetest.h"

static struct {
	char dir[512];
	struct gx_store *s;
	struct gx_arena *a;
} w;

#define WORDS GX_PROP_TAG(0x6801, PtypMultipleString)

static inline void setup(void)
{
	snprintf(w.dir, sizeof(w.dir), "%s", st_dir());
	st_create(w.dir);
	w.s = st_open(w.dir);
	w.a = gx_arena_new(0);
	const char *seed = getenv("GX_SEED");
	srandom(seed == NULL ? 7 : (unsigned)strtoul(seed, NULL, 10));
}

static inline void teardown(void)
{
	st_verify(w.s);
	gx_store_close(w.s);
	gx_arena_free(w.a);
	st_rmtree(w.dir);
}

static inline unsigned rnd(unsigned n)
{
	return (unsigned)random() % n;
}

static inline const char *random_text(struct gx_arena *a)
{
	static const char *const part[] = {
		"a", "B", "b", "\xc3\xa4", "\xc3\x84", "zz", " ", "1", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (unsigned i = rnd(4); i > 0; i--)
		gx_strbuf_adds(&b, part[rnd(10)]);
	const char *s = gx_arena_strdup(a, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return s;
}

static inline int sign(int d)
{
	return (d > 0) - (d < 0);
}

#endif
