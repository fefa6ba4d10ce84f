/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_ENTRYID_H
#define GX_ENTRYID_H
/**
 * @file entryid.h
 * Entry ids, source keys, change keys, predecessor lists, search keys. The structures are in
 * gx/entryid-types.h (from defs/entryid.def); here is what one usually wants of them.
 *
 * Results live in the arena. All functions return 0 or GX_E_NOMEM, and what is said besides.
 * Thread class: immutable.
 */
#include <gx/entryid-types.h>
#include <gx/guids.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most that a 48-bit counter holds. */
#define GX_COUNTER_MAX ((UINT64_C(1) << 48) - 1)

/**
 * A folder or message id as one number, as ROPs and exmdb carry it: read as little-endian u64
 * it is the replica in the low 16 bits and the counter big-endian in the rest.
 * [MS-OXCDATA] 2.2.1.1
 */
GX_API uint64_t gx_eid_make(uint16_t replica, uint64_t counter);
GX_API uint16_t gx_eid_replica(uint64_t eid);
GX_API uint64_t gx_eid_counter(uint64_t eid);

/** An id of the store as it is sent, and back. Ids of tables' header rows are of another replica, in their high 16 bits. */
GX_API uint64_t gx_eid_wire(uint64_t id);
GX_API uint64_t gx_eid_plain(uint64_t eid);
/** Is the property's value an id or change number of the store, which is sent as an eid? */
GX_API bool gx_eid_holds(gx_proptag_t tag);

/** 46 bytes. @p provider is the mailbox GUID; NULL for a public store. GX_E_RANGE for the counter. */
GX_API int gx_entryid_folder(struct gx_arena *a, const struct gx_guid *provider, const struct gx_guid *database,
	uint64_t counter, struct gx_bin *ret_bin) GX_MUST_CHECK;
/** 70 bytes. */
GX_API int gx_entryid_message(struct gx_arena *a, const struct gx_guid *provider, const struct gx_guid *folder_database,
	uint64_t folder_counter, const struct gx_guid *database, uint64_t counter, struct gx_bin *ret_bin) GX_MUST_CHECK;
/** Of a private store when @p mailbox_dn is given. */
GX_API int gx_entryid_store(struct gx_arena *a, const char *server, const char *mailbox_dn, struct gx_bin *ret_bin) GX_MUST_CHECK;
/** Unicode, not to be looked up. @p name NULL: the address. @p type is "SMTP" and the like. */
GX_API int gx_entryid_oneoff(struct gx_arena *a, const char *name, const char *type, const char *address,
	struct gx_bin *ret_bin) GX_MUST_CHECK;
/** Permanent entry id of an address book object. @p display_type: DT_MAILUSER is 0. */
GX_API int gx_entryid_addressbook(struct gx_arena *a, uint32_t display_type, const char *dn, struct gx_bin *ret_bin) GX_MUST_CHECK;
/** 22 bytes: source key and change key of an object of ours. */
GX_API int gx_entryid_gid(struct gx_arena *a, const struct gx_guid *database, uint64_t counter, struct gx_bin *ret_bin) GX_MUST_CHECK;
/** 24 bytes. */
GX_API int gx_entryid_longterm(struct gx_arena *a, const struct gx_guid *database, uint64_t counter, struct gx_bin *ret_bin) GX_MUST_CHECK;
/** "SMTP:USER@EXAMPLE.COM" in upper case, with its NUL; any address type. [MS-OXOABK] 2.2.3.5 */
GX_API int gx_search_key(struct gx_arena *a, const char *type, const char *address, struct gx_bin *ret_bin) GX_MUST_CHECK;

/**
 * A predecessor change list with one change more: it replaces an older one of its namespace,
 * the order stays ascending. @p pcl may be empty. GX_E_FORMAT when it is none.
 * [MS-OXCFXICS] 2.2.2.3
 */
GX_API int gx_pcl_add(struct gx_arena *a, struct gx_bin pcl, const struct gx_guid *database, uint64_t counter,
	struct gx_bin *ret_bin) GX_MUST_CHECK;
/** The same with a change key, which may be of any namespace. GX_E_FORMAT, GX_E_TRUNC when it is none. */
GX_API int gx_pcl_add_key(struct gx_arena *a, struct gx_bin pcl, struct gx_bin change_key, struct gx_bin *ret_bin) GX_MUST_CHECK;
/** What either of two lists knows: that of a resolved conflict. [MS-OXCFXICS] 3.1.5.6.2 */
GX_API int gx_pcl_merge(struct gx_arena *a, struct gx_bin x, struct gx_bin y, struct gx_bin *ret_bin) GX_MUST_CHECK;
enum { GX_PCL_EQUAL = 0, GX_PCL_INCLUDED = 1, GX_PCL_INCLUDES = 2, GX_PCL_CONFLICT = 3 };
/** Is @p x contained in @p y, or the other way round? [MS-OXCFXICS] 3.1.5.6.1 @param ret_order GX_PCL_*. */
GX_API int gx_pcl_cmp(struct gx_arena *a, struct gx_bin x, struct gx_bin y, int *ret_order) GX_MUST_CHECK;

/** What an entry id is: GX_ENTRYID_* of the structure, by provider, size and type. */
GX_API uint32_t gx_entryid_kind(struct gx_bin eid);
/** Appends a readable form of any entry id. */
GX_API void gx_entryid_print(struct gx_strbuf *b, struct gx_arena *a, struct gx_bin eid);
/**
 * Address type and address of a one-off or address book ("EX") entry id.
 * @return 0, GX_E_UNSUP for other kinds, or a decoding error.
 */
GX_API int gx_entryid_address(struct gx_arena *a, struct gx_bin eid, const char **ret_type, const char **ret_address,
	const char **ret_name) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
