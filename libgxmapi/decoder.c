/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxmapi/codec-int.h"

void gx_decoder_init(struct gx_decoder *d, uint8_t cte)
{
	*d = (struct gx_decoder){.cte = cte};
}

size_t gx_decoder_bound(const struct gx_decoder *d, size_t len)
{
	switch (d->cte) {
	case GX_CTE_BASE64:
		return len / 4 * 3 + 6 + GX_CODEC__SLACK;
	case GX_CTE_QP:
		return len + sizeof(d->hold);
	case GX_CTE_UUENCODE: /* a line gives its missing half as zeros, see gx_uu__decode() */
		return len + len / 2 + sizeof(d->hold);
	default:
		return len;
	}
}

size_t gx_decoder_run(struct gx_decoder *d, const uint8_t *in, size_t len, bool last, uint8_t *out)
{
	if (len == 0)
		in = out; /* NULL must not be counted with */
	switch (d->cte) {
	case GX_CTE_BASE64:
		return gx_b64__decode(d, in, len, last, out);
	case GX_CTE_QP:
		return gx_qp__decode(d, in, len, last, out);
	case GX_CTE_UUENCODE:
		return gx_uu__decode(d, in, len, last, out);
	default:
		if (len != 0)
			memcpy(out, in, len);
		return len;
	}
}

int gx_decode(struct gx_arena *a, uint8_t cte, const void *in, size_t len, struct gx_bin *ret_bin)
{
	struct gx_decoder d;
	gx_decoder_init(&d, cte);
	uint8_t *out = gx_arena_alloc(a, gx_decoder_bound(&d, len));
	if (out == NULL)
		return GX_E_NOMEM;
	ret_bin->data = out;
	ret_bin->len = gx_decoder_run(&d, in, len, true, out);
	return 0;
}
