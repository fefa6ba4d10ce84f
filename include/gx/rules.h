/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_RULES_H
#define GX_RULES_H
/**
 * @file rules.h
 * Rules of folders, [MS-OXORULE]: kept here, their conditions evaluated here; what they do is
 * done by whoever delivers. Thread class: as the transaction, confined.
 */
#include <gx/store.h>
#include <gx/restr.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PidTagRuleState, [MS-OXORULE] 2.2.1.3.1.3 */
enum {
	ST_ENABLED = 0x01, ST_ERROR = 0x02, ST_ONLY_WHEN_OOF = 0x04, ST_KEEP_OOF_HIST = 0x08, ST_EXIT_LEVEL = 0x10,
	ST_SKIP_IF_SCL_IS_SAFE = 0x20, ST_RULE_PARSE_ERROR = 0x40,
};

struct gx_rule {
	uint64_t id;                      /**< PidTagRuleId as a plain number; of extended rules the message id */
	bool extended;                    /**< kept as an associated message, [MS-OXORULE] 2.2.4 */
	int32_t sequence;
	uint32_t state, level, user_flags;
	const char *name, *provider;      /**< "" when there is none */
	struct gx_bin provider_data;
	const struct gx_restr *condition; /**< NULL: always */
	struct gx_bin actions;            /**< wire form: of PtypRuleAction, or of PidTagExtendedRuleMessageActions */
};

/** Most classic rules of a folder, when max_rule_number does not say otherwise. */
#define GX_RULES_MAX 1000

/** The classic rules of a folder by sequence. Needs GX_RIGHT_OWNER; everything lives in @p a. */
GX_API gx_ec gx_rules_list(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_rule **ret_v, size_t *ret_n) GX_MUST_CHECK;

/* [MS-OXORULE] 2.2.1.1 */
enum { GX_RULE_ADD = 1, GX_RULE_MODIFY = 2, GX_RULE_REMOVE = 4 };
struct gx_rule_change {
	uint8_t op;                    /**< GX_RULE_* */
	const struct gx_proplist *props; /**< PidTagRule*; PidTagRuleId as a plain number; those absent from a MODIFY stay */
};
/**
 * All or nothing. @p replace removes what is there first. Conditions with more than the limits of gx_restr, or
 * actions without bytes in an ADD, are ecInvalidParam; ecNotFound for an id that is none of the folder's.
 * @param ret_exceeded rules were added to more than max_rule_number (GX_RULES_MAX); nothing was changed then.
 */
GX_API gx_ec gx_rules_modify(struct gx_txn *t, uint64_t fid, const struct gx_rule_change *v, size_t n, bool replace, bool *ret_exceeded) GX_MUST_CHECK;
/** Extended rules of a folder, and how many of them count, max_ext_rule_number: those of the lowest sequence. Needs GX_RIGHT_READ. */
GX_API gx_ec gx_rules_extended(struct gx_txn *t, uint64_t fid, size_t *ret_n, size_t *ret_most) GX_MUST_CHECK;
/** Sets or clears state bits of one classic rule (ST_ERROR after a failed action). */
GX_API gx_ec gx_rules_set_state(struct gx_txn *t, uint64_t fid, uint64_t id, uint32_t set, uint32_t clear) GX_MUST_CHECK;
/** A rule as properties, as rows of a rules table show it. */
GX_API int gx_rule_to_props(struct gx_arena *a, const struct gx_rule *r, struct gx_proplist *ret_l) GX_MUST_CHECK;

/**
 * The rules of a folder, classic and extended, by sequence, as far as their condition is fulfilled
 * by @p src and their state allows it. @p cb returns 0 to go on, else the walk ends with that value. A
 * rule with ST_EXIT_LEVEL whose condition holds ends it, too. Rules that cannot be read count as not fulfilled
 * and are logged. Runs with the rights of the system: the folder's owner wrote them.
 */
struct gx_rules_env {
	size_t size;
	bool oof_active;               /**< rules with ST_ONLY_WHEN_OOF count */
	int32_t scl;                   /**< spam confidence; -1 is safe: rules with ST_SKIP_IF_SCL_IS_SAFE do not count */
};
#define GX_RULES_ENV_INIT {.size = sizeof(struct gx_rules_env)}
typedef int (*gx_rule_cb)(const struct gx_rule *r, void *ctx);
GX_API gx_ec gx_rules_match(struct gx_txn *t, uint64_t fid, const struct gx_propsrc *src, const struct gx_rules_env *env,
	struct gx_arena *a, gx_rule_cb cb, void *ctx) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
