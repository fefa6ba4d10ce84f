/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_SYNCIN_H
#define GX_SYNCIN_H
/**
 * @file syncin.h
 * What a client is told by a synchronisation: the streams "contentsSync" and "hierarchySync" of [MS-OXCFXICS] 2.2.4 taken apart into
 * changed messages or folders, what is gone, read states, and the state to be kept for the next time.
 *
 * The bytes are those of RopFastTransferSourceGetBuffer, one buffer after the other. A message is handed out when all
 * of it is there; a stream that breaks off has handed out what was complete. Thread class: confined.
 */
#include <gx/ftx.h>
#include <gx/idset.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_syncin_message {
	const struct gx_proplist *header; /**< messageChangeHeader: PidTagSourceKey, PidTagChangeKey ..., [MS-OXCFXICS] 2.2.4.3.14 */
	const struct gx_msgobj *msg;      /**< all the rest. Named properties of its recipients and attachments have the server's ids. */
	bool associated;
};

/** Parts of a state, [MS-OXCFXICS] 2.2.1.1, as the server gave them; to be uploaded as they are. */
enum { GX_SYNCIN_GIVEN, GX_SYNCIN_SEEN, GX_SYNCIN_SEEN_FAI, GX_SYNCIN_READ, GX_SYNCIN_SETS };
struct gx_syncin_state {
	struct gx_bin set[GX_SYNCIN_SETS]; /**< data NULL: not there, as the last two of a hierarchy */
};
/** The property that part @p which is uploaded as. */
GX_API gx_proptag_t gx_syncin_state_tag(int which);

/**
 * All but message (contents) or folder (hierarchy) may be NULL. What they are given lives until they return. They return 0,
 * or GX_E_* to end with that error.
 */
struct gx_syncin_ops {
	int (*message)(const struct gx_syncin_message *m, void *ctx);
	/** [MS-OXCFXICS] 2.2.4.3.5; those without a parent key are right below the synchronised one. */
	int (*folder)(const struct gx_proplist *l, void *ctx);
	/** @p why MetaTagIdsetDeleted, MetaTagIdsetNoLongerInScope, MetaTagIdsetExpired. Sets by number of replica; some of it may be unknown. */
	int (*gone)(gx_proptag_t why, const struct gx_idset *ids, void *ctx);
	int (*read)(bool read, const struct gx_idset *ids, void *ctx);
	int (*progress)(const struct gx_progress_information *p, void *ctx);
	/** The server could not give one of the messages. */
	int (*failed)(const struct gx_extended_error_info *e, void *ctx);
	/** The last of all: the state is that of a copy that has taken everything before. */
	int (*state)(const struct gx_syncin_state *s, void *ctx);
};

struct gx_syncin_opts {
	size_t size;
	bool hierarchy;
	uint32_t send_options;    /**< that the synchronisation was configured with; GX_FTX_SEND_PARTIAL_ITEM is GX_E_INVAL */
	uint32_t cp;              /**< of the session */
	uint32_t max_value;       /**< bytes of one value, 0 takes 256 MiB; more ends with GX_E_LIMIT */
	size_t max_message;       /**< bytes of a message in memory, 0 takes 1 GiB; GX_E_NOMEM */
};
#define GX_SYNCIN_OPTS_INIT {.size = sizeof(struct gx_syncin_opts)}
struct gx_syncin;
/** @p ops must last. GX_E_INVAL, GX_E_NOMEM. */
GX_API int gx_syncin_new(const struct gx_syncin_opts *o, const struct gx_syncin_ops *ops, void *ctx, struct gx_syncin **ret_s) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_syncin_free(struct gx_syncin *s);
/** The next buffer. Errors, also those of the callbacks, are final: GX_E_FORMAT, GX_E_LIMIT ... */
GX_API int gx_syncin_write(struct gx_syncin *s, const void *data, size_t n) GX_MUST_CHECK;
/** All of it was there. GX_E_TRUNC when it was not. */
GX_API int gx_syncin_end(struct gx_syncin *s) GX_MUST_CHECK;
/** What the last error was about; "" without one. */
GX_API const char *gx_syncin_text(const struct gx_syncin *s);

#ifdef __cplusplus
}
#endif
#endif
