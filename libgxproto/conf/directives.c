/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/directives.h>
#include "libgxproto/conf/directives-table.h"

const struct gx_conf_key *gx_directives(unsigned group)
{
	static const struct gx_conf_key *const tables[GX_DIRECTIVES_COUNT] = {
		[GX_DIRECTIVES_GENERAL] = general_keys,
		[GX_DIRECTIVES_GROMOXD] = gromoxd_keys,
		[GX_DIRECTIVES_IMAP] = imap_keys,
		[GX_DIRECTIVES_SMTP] = smtp_keys,
		[GX_DIRECTIVES_QUEUE] = queue_keys,
		[GX_DIRECTIVES_DELIVERY] = delivery_keys,
		[GX_DIRECTIVES_STORE] = store_keys,
		[GX_DIRECTIVES_EXMDB] = exmdb_keys,
		[GX_DIRECTIVES_ISTORE] = istore_keys,
	};
	return group < GX_DIRECTIVES_COUNT ? tables[group] : NULL;
}
