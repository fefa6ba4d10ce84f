/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NSP_TEMPLATE_H
#define GX_NSP_TEMPLATE_H
/* How clients show entries and ask for addresses, [MS-OXOABKT]: files of template_dir, named LCID-TYPE.abk. */
#include "libgxproto/nsp/nsp-int.h"

/* What q->flags ask for of a template. ecInvalidLocale: there is none. */
gx_ec gx_nsp__template(struct nsp_call *c, const struct gx_mh_get_template_info_req *q, struct gx_proplist *ret_l) GX_MUST_CHECK;
/* Rows of the address creation table, [MS-OXOABKT] 2.2.1. */
gx_ec gx_nsp__creation_rows(struct nsp_call *c, uint32_t lcid, struct gx_proplist **ret_v, size_t *ret_n) GX_MUST_CHECK;

#endif
