/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_RECOMPRESS_H
#define GXSTORE_RECOMPRESS_H
/* What compressing files and compressing rows once more have in common. */
#include <gx/recompress.h>
#include "libgxstore/content/cio-int.h"

struct gx_rec {
	const struct gx_recompress_opts *o;
	struct gx_recompress_result *r;
	struct gx_arena *a;      /* of one object */
	ZSTD_CCtx *c;
	ZSTD_DCtx *d;
	struct gx_push packed;   /* a block of a file */
	uint64_t done, total;
};

int gx_rec__begin(struct gx_rec *x, const struct gx_recompress_opts *o, struct gx_recompress_result *r) GX_MUST_CHECK;
void gx_rec__end(struct gx_rec *x);
/** One more is done: of that many packed bytes, now that many. GX_E_STATE when it is to stop. */
int gx_rec__counted(struct gx_rec *x, uint64_t before, uint64_t after) GX_MUST_CHECK;
/** The object stays as it is. */
void gx_rec__left(struct gx_rec *x, const char *fmt, ...) GX_PRINTF(2, 3);
/** Bytes of content files at or below @p path; added. */
int gx_rec__measure(const char *path, uint64_t *io_total) GX_MUST_CHECK;
int gx_rec__path(struct gx_rec *x, const char *path) GX_MUST_CHECK;

#endif
