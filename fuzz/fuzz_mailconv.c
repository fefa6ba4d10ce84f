/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes become an object whose slices lie in them, and a message again, within bounded memory.
 * What the writer wrote is canonical: from then on parts, texts, files and the message class stay
 * the same. Single properties may not: fields hold what no property that is sane can say twice.
 */
#include <config.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/objcmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct objview read_object(struct gx_arena *a, struct gx_bin mail)
{
	static const struct gx_mailconv_env env;
	struct objview x = {.a = a, .original = mail};
	struct gx_mime_part *root;
	struct gx_msgobj *m;
	int r = gx_mime_parse(a, NULL, mail.data, mail.len, &root);
	assert(r == 0);
	r = gx_mail_to_msg(a, &env, mail.data, mail.len, root, &m);
	assert(r == 0);
	x.m = m;
	assert(objcmp_slices_ok(x));
	return x;
}

static struct gx_bin write_mail(struct objview x, struct gx_push *out)
{
	int r = gx_msg_to_mail(NULL, x.m, x.original, GX_MAIL_KEEP_BCC, out);
	assert(r == 0);
	return (struct gx_bin){out->data, out->len};
}

static bool is_single_property(const char *diff)
{
	static const char inner[] = "embedded message: ", cls[] = "message: property 001a";
	while (strncmp(diff, inner, sizeof(inner) - 1) == 0)
		diff += sizeof(inner) - 1;
	return strncmp(diff, cls, sizeof(cls) - 1) != 0 && strstr(diff, "property ") != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gx_arena *a = gx_arena_new((size_t)16 << 20 | size << 10);
	struct gx_push first = GX_PUSH_INIT, second = GX_PUSH_INIT;
	struct objview x = read_object(a, (struct gx_bin){data, size});
	struct objview y = read_object(a, write_mail(x, &first));
	struct objview z = read_object(a, write_mail(y, &second));
	const char *diff = objcmp(y, z);
	if (diff != NULL && !is_single_property(diff)) {
		fprintf(stderr, "%s\n%.*s\n-----\n%.*s\n", diff, (int)first.len, (const char *)first.data, (int)second.len,
			(const char *)second.data);
		abort();
	}
	gx_push_release(&first);
	gx_push_release(&second);
	gx_arena_free(a);
	return 0;
}
