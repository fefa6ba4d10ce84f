/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_PROPNAME_H
#define GX_PROPNAME_H
/* struct gx_propname as a custom field of descriptions, in two forms. */
#include <gx/desc.h>
#include <gx/msgobj.h>

extern const struct gx_custom gx_custom_propname;     /* exmdb: UTF-8, a set in every case */
extern const struct gx_custom gx_custom_propname_rop; /* ROP buffers */

#endif
