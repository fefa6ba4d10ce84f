/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_FREEBUSY_H
#define GX_FREEBUSY_H
/**
 * @file freebusy.h
 * When the owner of a mailbox is busy, and whom he knows. Thread class: as the transaction, confined.
 */
#include <gx/namedprop.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PidLidBusyStatus */
enum { olFree = 0, olTentative = 1, olBusy = 2, olOutOfOffice = 3, olWorkingElsewhere = 4 };

struct gx_busy {
	int64_t start, end;       /**< seconds since 1970 */
	uint32_t status;          /**< ol* */
	uint64_t mid;             /**< 0 without details */
	bool details;             /**< the following may be seen */
	const char *subject, *location;
	bool meeting, recurring, exception, reminder, is_private;
};
/**
 * Appointments of the calendar that overlap [from, until), by their start; recurrences by their occurrences, free
 * time too. With GX_RIGHT_FB_SIMPLE times only, with GX_RIGHT_FB_DETAILED or GX_RIGHT_READ more, of private ones to the owner
 * alone. ecAccessDenied without any; ecInvalidParam for more than GX_BUSY_DAYS. Everything lives in @p a.
 */
GX_API gx_ec gx_freebusy(struct gx_txn *t, int64_t from, int64_t until, struct gx_arena *a, struct gx_busy **ret_v, size_t *ret_n) GX_MUST_CHECK;
#define GX_BUSY_DAYS 3660
#define GX_BUSY_MAX 50000 /**< events; more are ecTooBig */

/*
 * The same for appointments that were read some other way, as over the wire: the named properties that are wanted besides
 * PidTagSubject, and what an appointment with these values adds to a list.
 */
#define GX_BUSY_PROPS 13
/** @p i below GX_BUSY_PROPS. */
GX_API struct gx_propname gx_busy_name(unsigned i, uint16_t *ret_type);
struct gx_busy_list {
	struct gx_busy *v;
	size_t n, cap;
};
struct gx_busy_source {
	const struct gx_proplist *props;
	const uint16_t *ids;      /**< GX_BUSY_PROPS: property ids of the names in this store, 0 none */
	uint64_t mid;
	uint32_t rights;          /**< GX_RIGHT_* in the calendar of who looks */
	bool owner;               /**< who looks may see private ones */
};
/** 0, GX_E_INVAL as gx_freebusy(), GX_E_LIMIT more than GX_BUSY_MAX, GX_E_NOMEM. */
GX_API int gx_busy_add(const struct gx_busy_source *s, int64_t from, int64_t until, struct gx_arena *a,
	struct gx_busy_list *io_l) GX_MUST_CHECK;
/** By start, then by end: the order in which clients want them. */
GX_API void gx_busy_sort(struct gx_busy_list *l);

/** Has the address (caseless) a contact in the contacts folder or one below it? */
GX_API gx_ec gx_contact_known(struct gx_txn *t, const char *address, bool *ret_known) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
