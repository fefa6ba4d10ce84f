/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/exmdb-server.h>
#include <gx/mime.h>
#include "libgxproto/delivery/mail-int.h"

int gx_exmdb_describe(struct gx_bin original, struct gx_arena *a, struct gx_bin *ret_envelope, struct gx_bin *ret_bodystructure, void *ctx)
{
	struct gx_mime_part *root;
	(void)ctx;
	int err = gx_mime_parse(a, NULL, original.data, original.len, &root);
	return err != 0 ? err : gx_mail__structures(a, root, ret_envelope, ret_bodystructure);
}
