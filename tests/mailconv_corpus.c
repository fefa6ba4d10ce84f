/* SPDX-License-Identifier: Apache-2.0 */
/* mailconv_corpus FILE...: each message to an object, to a message, to an object; both objects must be equal. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/objcmp.h"

static struct objview read_object(struct gx_arena *a, struct gx_bin mail)
{
	static const struct gx_mailconv_env env;
	struct objview x = {.a = a, .original = mail};
	struct gx_mime_part *root;
	struct gx_msgobj *m;
	if (gx_mime_parse(a, NULL, mail.data, mail.len, &root) == 0 && gx_mail_to_msg(a, &env, mail.data, mail.len, root, &m) == 0)
		x.m = m;
	return x;
}

static const char *check(struct gx_arena *a, struct gx_bin mail, struct gx_push *out)
{
	struct objview x = read_object(a, mail);
	if (x.m == NULL)
		return "cannot be converted";
	if (!objcmp_slices_ok(x))
		return "a slice lies outside";
	int err = gx_msg_to_mail(NULL, x.m, mail, GX_MAIL_KEEP_BCC, out);
	if (err != 0)
		return gx_arena_printf(a, "cannot be written: error %d", err);
	struct objview y = read_object(a, (struct gx_bin){out->data, out->len});
	return y.m == NULL ? "cannot be converted again" : objcmp(x, y);
}

static uint8_t *slurp(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = NULL;
	if (f == NULL || fseek(f, 0, SEEK_END) != 0)
		goto out;
	long n = ftell(f);
	rewind(f);
	p = n < 0 ? NULL : malloc((size_t)n + 1);
	if (p != NULL)
		*ret_len = fread(p, 1, (size_t)n, f);
out:
	if (f != NULL)
		fclose(f);
	return p;
}

int main(int argc, char **argv)
{
	int bad = 0;
	for (int i = 1; i < argc; ++i) {
		size_t len = 0;
		uint8_t *p = slurp(argv[i], &len);
		struct gx_arena *a = gx_arena_new(0);
		struct gx_push out = GX_PUSH_INIT;
		const char *diff = p == NULL || a == NULL ? "cannot be read" : check(a, (struct gx_bin){p, len}, &out);
		if (diff != NULL) {
			printf("%s: %s\n", argv[i], diff);
			bad = 1;
		}
		gx_push_release(&out);
		gx_arena_free(a);
		free(p);
	}
	return bad;
}
