/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NAMEDPROP_H
#define GX_NAMEDPROP_H
/**
 * @file namedprop.h
 * The named properties that specifications define: constants and lookup in both directions.
 *
 * gx/namedprop-ids.h gives for each of them NAME (the LID or the string), NAME_SET (an
 * initialiser of the set's GUID) and NAME_TYPE. A struct gx_propname from them:
 *
 *     struct gx_propname n = GX_LID(PidLidFileUnder);
 *     static const struct gx_propname table[] = {GX_LID_INIT(PidLidLocation), GX_STR_INIT(PidNameKeywords)};
 *
 * Thread class: immutable.
 */
#include <gx/msgobj.h>
#include <gx/namedprop-ids.h> /* generated from facts/namedprops.tsv */

#ifdef __cplusplus
extern "C" {
#endif

#define GX_LID_INIT(x) {x##_SET, false, x, NULL}
#define GX_STR_INIT(x) {x##_SET, true, 0, x}
#define GX_LID(x) ((struct gx_propname){x##_SET, false, x, NULL})
#define GX_STR(x) ((struct gx_propname){x##_SET, true, 0, x})

struct gx_named_info {
	const char *name;           /**< "PidLidFileUnder" */
	const struct gx_guid *set;
	uint32_t lid;
	const char *key;            /**< string name; NULL: named by lid */
	uint16_t type;              /**< PtypUnspecified when nobody says */
};

/** By "PidLidFileUnder" or "PidNameKeywords"; NULL when unknown. Static. */
GX_API const struct gx_named_info *gx_named_by_name(const char *name);
/** By set and LID, or set and string (caseless in PS_INTERNET_HEADERS); NULL when unknown. Static. */
GX_API const struct gx_named_info *gx_named_find(const struct gx_propname *n);
/** "PSETID_Common" for the sets that have a name, else NULL. Static. */
GX_API const char *gx_propset_name(const struct gx_guid *set);
/** The set of that name. @return 0 or GX_E_NOTFOUND. */
GX_API int gx_propset_by_name(const char *name, struct gx_guid *ret_set) GX_MUST_CHECK;
GX_API struct gx_propname gx_named_propname(const struct gx_named_info *i);

#ifdef __cplusplus
}
#endif
#endif
