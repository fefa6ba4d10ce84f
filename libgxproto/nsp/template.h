/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NSP_TEMPLATE_H
#define GX_NSP_TEMPLATE_H
/* How clients show entries and ask for addresses, [MS-OXOABKT]: files of template_dir, named LCID-TYPE.abk. */
#include <gx/abkt.h>
#include "libgxproto/nsp/nsp-int.h"

/* What q->flags ask for of a template. ecInvalidLocale: there is none. */
gx_ec gx_nsp__template(struct nsp_call *c, const struct gx_mh_get_template_info_req *q, struct gx_proplist *ret_l) GX_MUST_CHECK;
/* Rows of the address creation table, [MS-OXOABKT] 2.2.1. */
gx_ec gx_nsp__creation_rows(struct nsp_call *c, uint32_t lcid, struct gx_proplist **ret_v, size_t *ret_n) GX_MUST_CHECK;


enum { NSP_LANGUAGES_MOST = 40 };
/* Languages of which there are files, ascending. */
void gx_nsp__template_languages(struct nsp_call *c, uint32_t v[NSP_LANGUAGES_MOST], uint32_t *ret_n);
/* The file of this language and type, no other instead. GX_E_NOTFOUND. */
int gx_nsp__template_load(struct nsp_call *c, uint32_t lcid, const char *type, struct gx_abkt *ret_t) GX_MUST_CHECK;
/* Types of address that can be made, NULL behind the last. */
extern const char *const gx_nsp__address_types[];
const char *gx_nsp__address_type_name(struct nsp_call *c, const char *type);
const char *gx_nsp__address_template_dn(struct nsp_call *c, uint32_t lcid, const char *type);
/* What makes an address of what was typed in. */
int gx_nsp__address_script(struct nsp_call *c, struct gx_bin *ret_b) GX_MUST_CHECK;

#endif
