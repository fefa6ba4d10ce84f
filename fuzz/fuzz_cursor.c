/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes choose which reads happen, in which order, on the rest. */
#include <config.h>
#include <assert.h>
#include <gx/cursor.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t ops = size / 3;
	struct gx_pull r;
	gx_pull_init(&r, data + ops, size - ops);
	for (size_t i = 0; i < ops; ++i) {
		switch (data[i] % 10) {
		case 0: gx_pull_u8(&r); break;
		case 1: gx_pull_u16(&r); break;
		case 2: gx_pull_u32be(&r); break;
		case 3: gx_pull_u64(&r); break;
		case 4: gx_pull_varint(&r); break;
		case 5: gx_pull_strz(&r); break;
		case 6: gx_pull_guid(&r); break;
		case 7: gx_pull_skip(&r, gx_pull_u8(&r)); break;
		case 8: gx_pull_count(&r, gx_pull_u32(&r), 4); break;
		case 9: {
			struct gx_pull k = gx_pull_child(&r, data[i] / 10);
			gx_pull_u64(&k);
			gx_pull_close(&r, &k, false);
			break;
		}
		}
		assert(r.left <= size - ops);
	}
	return 0;
}
