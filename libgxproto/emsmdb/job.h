/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_JOB_H
#define GX_EMSMDB_JOB_H
/*
 * Work that is done in portions, between which others write. Where the client lets it, by WantAsynchronous and by SUPPORT_PROGRESS
 * of its logon [MS-OXCSTOR] 2.2.1.1.1, an operation that takes longer than gx_ems_opts.async_ms is answered with RopProgress and
 * goes on when the client asks how far it is, [MS-OXCPRPT] 3.1.5 and 3.2.5.20. Others have it done in whole. A logon has one such job at most; another operation of the logon ends it, as does closing what it works on. What was
 * done stays.
 */
#include "libgxproto/emsmdb/kinds.h"

struct gx_ems_job {
	/* A portion of it. Memory of @c->a goes with the portion. */
	gx_ec (*step)(struct gx_rop_call *c, struct gx_ems_job *j);
	/* At the end, into the response of the operation that began it; NULL: nothing more. Not when it was cancelled. */
	gx_ec (*finish)(struct gx_rop_call *c, struct gx_ems_job *j, void *response);
	struct gx_arena *a;          /* lives as long as the job, which is in it */
	struct gx_ems_logon *from, *to;
	size_t partial_at;           /* where PartialCompletion is in the response; SIZE_MAX: it becomes ecPartiallyComplete */
	bool done, partial;
	uint32_t completed, total;   /* tasks */
	/* set by gx_ems__job_run() */
	const struct gx_rop_desc *desc;
	uint32_t handle;             /* of the object that the operation was for */
};

/* With @size bytes, the first of which are the job; zeroed. NULL without memory. */
void *gx_ems__job_new(struct gx_rop_call *c, size_t size);
/* The ids that the client sent, as the store has them, in memory of the job. */
gx_ec gx_ems__job_mids(struct gx_rop_call *c, struct gx_ems_job *j, const uint64_t *ids, uint32_t n, uint64_t **ret_mids);
/* A portion at the end of a job that has deleted folders softly: what is in them leaves searches, too. */
gx_ec gx_ems__leave_searches(struct gx_rop_call *c, struct gx_ems_job *j);
/* Does it, as far as @async lets it go on later; it is the function's then. */
gx_ec gx_ems__job_run(struct gx_rop_call *c, struct gx_ems_job *j, bool async, void *response);
/* The next portions, or the end of it, for RopProgress. */
gx_ec gx_ems__job_go_on(struct gx_rop_call *c, bool cancel);
/* Accepts NULL. */
void gx_ems__job_free(struct gx_ems_job *j);
/* What the logon has under way ends. */
void gx_ems__job_drop(struct gx_ems_logon *l);
/* The same of all jobs of the session that use the logon. */
void gx_ems__jobs_forget(struct gx_ems_session *s, const struct gx_ems_logon *l);

#endif
