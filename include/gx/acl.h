/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_ACL_H
#define GX_ACL_H
/**
 * @file acl.h
 * Who may do what in a folder, as a table, [MS-OXCPERM]. Thread class: as the transaction, confined.
 */
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* PidTagMemberId of the two rows that every folder has, [MS-OXCPERM] 2.2.5. */
#define GX_MEMBER_DEFAULT INT64_C(0)
#define GX_MEMBER_ANONYMOUS INT64_C(-1)

struct gx_member {
	int64_t id;           /**< PidTagMemberId: the same person has the same in all folders of a store */
	const char *address;  /**< SMTP address; "default" and "" for the two above */
	uint32_t rights;      /**< PidTagMemberRights, GX_RIGHT_* */
};
/** The default and the anonymous row, then the others by address. Owner only. */
GX_API gx_ec gx_acl_list(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_member **ret_v, size_t *ret_n) GX_MUST_CHECK;

/* [MS-OXCPERM] 2.2.2.1 */
enum { GX_ACL_ADD = 1, GX_ACL_MODIFY = 2, GX_ACL_REMOVE = 4 };
struct gx_acl_change {
	uint8_t op;           /**< GX_ACL_* */
	int64_t id;           /**< for MODIFY and REMOVE */
	const char *address;  /**< for ADD, and instead of an id when not NULL */
	uint32_t rights;
};
enum {
	GX_ACL_REPLACE = 1,   /**< all rows go first */
	GX_ACL_FREEBUSY = 2,  /**< the free/busy rights are meant, too; without it they stay as they are */
};
/**
 * All or nothing; at most 10,000. The default and anonymous rows are set to no rights instead of removed.
 * ecNotFound for an id that is none of the folder's, ecInvalidParam for rights that do not exist.
 */
GX_API gx_ec gx_acl_modify(struct gx_txn *t, uint64_t fid, const struct gx_acl_change *v, size_t n, unsigned flags) GX_MUST_CHECK;
/** Id of a member, 0 with ecNotFound when the store has never seen the address. */
GX_API gx_ec gx_acl_member_id(struct gx_txn *t, const char *address, int64_t *ret_id) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
