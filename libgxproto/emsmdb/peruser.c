/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/peruser.h"

gx_ec gx_ems__peruser(struct gx_rop_call *c, struct gx_ems_peruser **ret_p)
{
	if (gx_ems__logon(c->in) == NULL)
		return GX_EC(ecNotSupported);
	if (c->logon->peruser == NULL)
		c->logon->peruser = calloc(1, sizeof(*c->logon->peruser));
	*ret_p = c->logon->peruser;
	return *ret_p == NULL ? GX_EC(ecMAPIOOM) : EMS_OK;
}

void gx_ems__peruser_free(struct gx_ems_peruser *p)
{
	if (p == NULL)
		return;
	gx_ems__piece_end(&p->out);
	gx_ems__piece_end(&p->in);
	free(p);
}

void gx_ems__piece_begin(struct gx_ems_piece *x, const struct gx_long_term_id *folder)
{
	gx_ems__piece_end(x);
	gx_push_init(&x->data, GX_PERUSER_SIZE_MAX);
	x->folder = *folder;
	x->begun = true;
}

void gx_ems__piece_end(struct gx_ems_piece *x)
{
	gx_push_release(&x->data);
	*x = (struct gx_ems_piece){0};
}

bool gx_ems__piece_is_of(const struct gx_ems_piece *x, const struct gx_long_term_id *folder)
{
	return x->begun && x->folder.global_counter == folder->global_counter &&
	       gx_guid_cmp(&x->folder.database_guid, &folder->database_guid) == 0;
}
