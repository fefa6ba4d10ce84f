/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CLIENT_SYNC_H
#define GX_CLIENT_SYNC_H
/* Streams of synchronisation and fast transfer, and what the client has got already. [MS-OXCFXICS] 3.3 */
#include <gx/ftx.h>
#include <gx/idset.h>
#include "libgxproto/client/client-int.h"

/* ---- Streams ---- */

/* Takes the bytes of a stream as they come, and how far the server says it is. */
typedef gx_ec (*mc_stream_cb)(const void *data, size_t n, uint32_t done, uint32_t total, void *ctx);
/* All of the stream that @p o is a source of. */
gx_ec gx_mapi__get_stream(struct gx_mapi_obj *o, mc_stream_cb take, void *ctx);

/* What a stream of @p source_operation goes into. */
gx_ec gx_mapi__open_dest(struct gx_mapi_obj *o, unsigned source_operation, struct gx_mapi_obj **ret_dest);
gx_ec gx_mapi__put_stream(struct gx_mapi_obj *dest, const void *data, size_t n);

/* ---- State ---- */

enum { MC_GIVEN, MC_SEEN, MC_SEEN_FAI, MC_READ, MC_SETS };
struct mc_state {
	struct gx_idset set[MC_SETS];  /* by GUID */
};
void gx_mapi__state_init(struct mc_state *s);
void gx_mapi__state_release(struct mc_state *s);
gx_proptag_t gx_mapi__state_tag(int which);
/* -1: no part of a state. */
int gx_mapi__state_of_tag(gx_proptag_t tag);
/* GX_E_*; @p blob empty: nothing yet. */
int gx_mapi__state_parse(struct gx_bin blob, struct mc_state *io_s);
int gx_mapi__state_make(const struct mc_state *s, bool contents, struct gx_arena *a, struct gx_bin *ret_blob);
/* To a download or a collector. */
gx_ec gx_mapi__state_send(struct gx_mapi_obj *o, const struct mc_state *s, bool contents);

/* ---- Downloads (sync_down.c) ---- */

void gx_mapi__sync_free(struct mc_sync *s);
/* Else it writes that down. */
bool gx_mapi__is_collector(struct gx_mapi_obj *o);

#endif
