/* SPDX-License-Identifier: Apache-2.0 */
/* NspiGetTemplateInfo, [MS-OXNSPI] 3.1.4.1.18 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/nsp/nsp-int.h"
#include "libgxproto/nsp/template.h"

NSP_OP(get_template_info)
{
	struct gx_proplist l;
	if (q->code_page == GX_CP_UTF16 || gx_cp_to_charset(q->code_page) == NULL)
		return GX_EC(ecInvalidCodepage);
	gx_ec ec = gx_nsp__template(c, q, &l);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_ab_values *v = gx_arena_new_obj(c->a, struct gx_ab_values);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	*v = (struct gx_ab_values){l.v, (uint32_t)l.count};
	r->code_page = q->code_page;
	r->row = v;
	return NSP_OK;
}
