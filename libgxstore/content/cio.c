/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <limits.h>
#include <stdarg.h>
#include "libgxstore/content/cio-int.h"

int gx_cio__new(const struct gx_fs *fs, const char *dir, struct gx_cio **ret_cio)
{
	struct gx_cio *cio = calloc(1, sizeof(*cio));
	if (cio == NULL)
		return GX_E_NOMEM;
	cio->fs = fs;
	cio->dir = strdup(dir);
	cio->dctx = ZSTD_createDCtx();
	cio->arena = gx_arena_new(0);
	if (cio->dir == NULL || cio->dctx == NULL || cio->arena == NULL) {
		gx_cio__free(cio);
		return GX_E_NOMEM;
	}
	*ret_cio = cio;
	return 0;
}

void gx_cio__free(struct gx_cio *cio)
{
	if (cio == NULL)
		return;
	gx_arena_free(cio->arena);
	ZSTD_freeDCtx(cio->dctx);
	gx_push_release(&cio->scratch);
	gx_push_release(&cio->literals);
	free(cio->block);
	free(cio->now);
	free(cio->later);
	free(cio->made);
	free(cio->dir);
	free(cio);
}

const char *gx_cio__why(const struct gx_cio *cio)
{
	return cio->why;
}

int gx_cio__fail(struct gx_cio *cio, int err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(cio->why, sizeof(cio->why), fmt, ap);
	va_end(ap);
	return err;
}

int gx_cio__sql_fail(struct gx_cio *cio, struct gx_sql *q, int err)
{
	snprintf(cio->why, sizeof(cio->why), "%s", q->why);
	return err;
}

void gx_cio__hex(const uint8_t hash[GX_HASH_LEN], char out[2 * GX_HASH_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < GX_HASH_LEN; ++i) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[2 * GX_HASH_LEN] = '\0';
}

int gx_cio__path(const struct gx_cio *cio, const uint8_t hash[GX_HASH_LEN], const char *suffix, char *out)
{
	char hex[2 * GX_HASH_LEN + 1];
	gx_cio__hex(hash, hex);
	int n = snprintf(out, PATH_MAX, "%s/cid/%.2s/%s%s", cio->dir, hex, hex, suffix);
	return n < 0 || n >= PATH_MAX ? GX_E_LIMIT : 0;
}
