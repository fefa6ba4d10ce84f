/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte says whether the rest is something compressed or something to compress, and how much of it, in 128ths, is the
 * reference.
 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/lzx.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(const uint8_t *ref, size_t ref_len, const uint8_t *p, size_t n)
{
	struct gx_push out = GX_PUSH_INIT;
	uint8_t *back = malloc(n + 1);
	gx_lzx_compress(&out, ref, ref_len, p, n);
	assert(out.err == 0 && back != NULL);
	int err = gx_lzx_decompress(ref, ref_len, out.data, out.len, back, n);
	assert(err == 0 && memcmp(back, p, n) == 0);
	gx_push_release(&out);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	size_t left = size - 1, ref_len = left * (data[0] & 127) / 128;
	const uint8_t *ref = data + 1, *p = ref + ref_len;
	if (data[0] & 128) {
		there_and_back(ref, ref_len, p, left - ref_len);
		return 0;
	}
	/* as many bytes as might come of it, to the end of some chunk */
	size_t room = 20000 + (size_t)data[0] * 700;
	uint8_t *out = malloc(room);
	assert(out != NULL);
	(void)!gx_lzx_decompress(ref, ref_len, p, left - ref_len, out, room);
	free(out);
	return 0;
}
