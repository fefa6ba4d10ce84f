/* SPDX-License-Identifier: Apache-2.0 */
/* What comes first in which language: ICU's rules. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucol.h>
#include <unicode/ustring.h>
#include "libgxproto/nsp/order.h"

enum { NAME_MOST = 512 }; /* units of UTF-16; names that are equal so far are equal */

struct nsp_sorter {
	UCollator *fine, *coarse;
};

int gx_nsp__sorter_new(const char *locale, struct nsp_sorter **ret_s)
{
	UErrorCode e = U_ZERO_ERROR;
	struct nsp_sorter *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	s->fine = ucol_open(locale, &e);
	s->coarse = ucol_open(locale, &e);
	if (U_FAILURE(e)) {
		gx_nsp__sorter_free(s);
		return e == U_MEMORY_ALLOCATION_ERROR ? GX_E_NOMEM : GX_E_IO;
	}
	ucol_setStrength(s->fine, UCOL_TERTIARY);
	ucol_setStrength(s->coarse, UCOL_PRIMARY);
	*ret_s = s;
	return 0;
}

void gx_nsp__sorter_free(struct nsp_sorter *s)
{
	if (s == NULL)
		return;
	if (s->fine != NULL)
		ucol_close(s->fine);
	if (s->coarse != NULL)
		ucol_close(s->coarse);
	free(s);
}

/* A language may have several, for dictionaries and for phone books: its name alone does not tell. */
bool gx_nsp__sorter_same(const struct nsp_sorter *x, const struct nsp_sorter *y)
{
	UErrorCode e = U_ZERO_ERROR;
	int32_t nx = 0, ny = 0;
	const char *of_x = ucol_getLocaleByType(x->fine, ULOC_ACTUAL_LOCALE, &e), *of_y = ucol_getLocaleByType(y->fine, ULOC_ACTUAL_LOCALE, &e);
	const UChar *rules_x = ucol_getRules(x->fine, &nx), *rules_y = ucol_getRules(y->fine, &ny);
	return U_SUCCESS(e) && of_x != NULL && of_y != NULL && strcmp(of_x, of_y) == 0 && nx == ny &&
	       (nx == 0 || u_memcmp(rules_x, rules_y, nx) == 0);
}

int gx_nsp__sort_key(const struct nsp_sorter *s, struct gx_arena *a, const char *name, struct gx_bin *ret_key)
{
	UChar wide[NAME_MOST];
	UErrorCode e = U_ZERO_ERROR;
	int32_t n = 0;
	u_strFromUTF8WithSub(wide, NAME_MOST, &n, name, -1, 0xfffd, NULL, &e);
	n = n > NAME_MOST ? NAME_MOST : n;
	int32_t size = ucol_getSortKey(s->fine, wide, n, NULL, 0);
	uint8_t *key = size <= 0 ? NULL : gx_arena_alloc(a, (size_t)size);
	if (key == NULL)
		return GX_E_NOMEM;
	ucol_getSortKey(s->fine, wide, n, key, size);
	*ret_key = (struct gx_bin){key, (size_t)size};
	return 0;
}

int gx_nsp__collate(const struct nsp_sorter *s, const char *x, const char *y)
{
	UErrorCode e = U_ZERO_ERROR;
	UCollationResult r = ucol_strcollUTF8(s->coarse, x, -1, y, -1, &e);
	return U_FAILURE(e) ? strcmp(x, y) : (int)r;
}
