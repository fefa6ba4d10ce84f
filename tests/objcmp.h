/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_OBJCMP_H
#define TESTS_OBJCMP_H
/* Are two message objects the same as far as a round trip by mail can keep them? */
#include <gx/mailconv.h>

struct objview {
	struct gx_arena *a;
	const struct gx_msgobj *m;
	struct gx_bin original; /* of the slices */
};

/* What differs, in words from x's arena; NULL when nothing does. */
const char *objcmp(struct objview x, struct objview y);
/* Every slice lies inside the original and can be read. */
bool objcmp_slices_ok(struct objview x);

#endif
