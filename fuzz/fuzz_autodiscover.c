/* SPDX-License-Identifier: Apache-2.0 */
/* XML of clients that ask, and of servers that answer. */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/autodiscover/disco-int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_text(const char *s)
{
	if (s != NULL && *s == '\0')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disco_request q;
	struct gx_disco_answer w;
	const struct gx_bin body = {data, size};
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return 0;
	if (gx_disco__read(body, a, &q) == 0) {
		if ((q.address == NULL && q.legacy_dn == NULL) || q.schema == NULL)
			abort();
		expect_text(q.address);
		expect_text(q.schema);
	}
	if (gx_disco_read_answer(body, a, &w) == 0)
		expect_text(w.mailstore_url);
	gx_arena_free(a);
	return 0;
}
