/* SPDX-License-Identifier: Apache-2.0 */
/* What the network layer and the configuration read: the first byte says as what the rest is taken. */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/directives.h>
#include "libgxproto/net/net-int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void proxy(const uint8_t *p, size_t n)
{
	struct gx_addr peer;
	size_t used;
	bool local;
	char text[64];
	uint8_t key[16];
	if (gx_proxy__parse((struct gx_bin){p, n}, &used, &peer, &local) != 0)
		return;
	assert(used >= GX_PROXY_HEADER && used <= n);
	gx_addr__print(&peer, text, sizeof(text));
	gx_addr__host_key(&peer, key);
	gx_addr__is_loopback(&peer);
}

static void address(const char *s)
{
	struct gx_addr a;
	const char *why = NULL;
	char text[64];
	if (gx_addr__parse(s, &a, &why) == 0)
		gx_addr__print(&a, text, sizeof(text));
	else
		assert(why != NULL);
}

static void directive(char *s)
{
	const struct gx_conf_key *all[GX_DIRECTIVES_COUNT + 1] = {0};
	for (unsigned i = 0; i < GX_DIRECTIVES_COUNT; ++i)
		all[i] = gx_directives(i);
	struct gx_conf *c = gx_conf_new(all);
	char *value = strchr(s, '=');
	if (c == NULL)
		return;
	if (value != NULL) {
		*value++ = '\0';
		if (gx_conf_set(c, s, value, NULL) != 0)
			assert(gx_conf_str(c, "host_id")[0] == '\0');
	}
	gx_conf_free(c);
}

static void quantity(const char *s)
{
	uint64_t v;
	struct gx_arena *a = gx_arena_new(0);
	(void)!gx_conf_parse_size(s, &v);
	(void)!gx_conf_parse_duration(s, &v);
	const char *const *w = gx_conf_words(a, s);
	for (; w != NULL && *w != NULL; ++w)
		assert(**w != '\0');
	gx_arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	char *s = malloc(size);
	if (s == NULL)
		return 0;
	memcpy(s, data + 1, size - 1);
	s[size - 1] = '\0';
	switch (data[0] % 4) {
	case 0: proxy(data + 1, size - 1); break;
	case 1: address(s); break;
	case 2: directive(s); break;
	case 3: quantity(s); break;
	}
	free(s);
	return 0;
}
